"""One invocation of `hephaestus cleanup`: its start event, the run, and exactly one terminal event."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path

from hephaestus.errors import UsageError
from hephaestus.plugins import PluginHost
from hephaestus.telemetry import emit_event, operation_context
from hephaestus_cleanup import events, hookspecs
from hephaestus_cleanup._consent import Consent
from hephaestus_cleanup._engine import Engine, Outcome, Watch
from hephaestus_cleanup._options import CleanupOptions
from hephaestus_cleanup._planner import Protect
from hephaestus_cleanup._poetry import poetry_environments
from hephaestus_cleanup._roots import search_roots
from hephaestus_cleanup._rulebook import merge_rules
from hephaestus_cleanup._signals import SignalGate
from hephaestus_cleanup.errors import CleanupIncomplete
from hephaestus_cleanup.rules import Rule

__all__ = ["cleanup_workspace"]

logger = logging.getLogger("hephaestus.cleanup")


def cleanup_workspace(
    root: str,
    options: CleanupOptions,
    host: PluginHost,
    *,
    consent: Consent,
    run_id: str,
    watch: Watch | None = None,
    finished: Callable[[Outcome], None] = lambda outcome: None,
) -> Outcome:
    """Clean one workspace and say so in events.

    Args:
        root: ROOT, as `choose_root` returned it.
        options: the effective options.
        host: whose plugins give rules and protections.
        consent: how consent is got.
        run_id: names the manifest and the quarantine.
        watch: hears of progress.
        finished: gets the outcome of a run that ended, with errors or without, before it is judged.

    Raises:
        CleanupError: refused, declined, busy, no manifest, or some paths failed.
        HephaestusError: a configuration or a rule that cannot be used.
    """
    gate = SignalGate()
    with operation_context("cleanup"), gate:
        emit_event(
            logger,
            events.CLI_CLEANUP_START,
            message=f"Cleanup of {root} started",
            **options.flags(),
            deep_clean=options.config.deep_clean,
            extra_paths=list(options.extra_paths),
            dry_run=options.dry_run,
            root=root,
            audit_manifest=options.audit_manifest,
        )
        engine: Engine | None = None
        try:
            engine = _engine(root, options, host, consent, run_id, watch or Watch(), gate)
            outcome = engine.run()
            with gate.open():
                finished(outcome)
            _judge(outcome)
        except BaseException as error:
            _failed(len(engine.outcome.errors) if engine is not None else 0, str(error) or type(error).__name__)
            raise
        emit_event(
            logger,
            events.CLI_CLEANUP_COMPLETE,
            message=f"Cleanup of {root} complete",
            removed=len(outcome.removed),
            skipped=len(outcome.skipped),
            errors=0,
            audit_manifest=outcome.manifest,
        )
    return outcome


def _judge(outcome: Outcome) -> None:
    if outcome.errors:
        raise CleanupIncomplete(
            f"{len(outcome.errors)} paths could not be read or removed",
            hint="they are named above and in the manifest",
        )


def _engine(
    root: str,
    options: CleanupOptions,
    host: PluginHost,
    consent: Consent,
    run_id: str,
    watch: Watch,
    gate: SignalGate,
) -> Engine:
    if options.audit_manifest == "":
        raise UsageError("--audit-manifest is empty", hint="name a file that does not exist yet")
    offered = [rule for _, rule in host.collect(hookspecs.hephaestus_cleanup_rules.__name__, Rule)]
    rules, problems = merge_rules(offered)
    for problem in problems:
        logger.warning("%s", problem)
    environments = poetry_environments(root) if options.config.include_poetry_env else []
    return Engine(
        search_roots(root, options, environments),
        options,
        rules,
        _protection(host),
        consent,
        run_id,
        watch,
        gate=gate,
    )


def _protection(host: PluginHost) -> Protect:
    """Ask the plugins; one that raises has, for want of an answer, protected the path."""
    hook = hookspecs.hephaestus_cleanup_protects.__name__
    guards = sum(hook in plugin.hooks for plugin in host.plugins)

    def protect(path: str, root: str) -> str | None:
        answers = host.call(hook, path=Path(path), root=Path(root))
        if len(answers) < guards:
            return "a plugin's protection failed"
        return next((str(each.value) for each in answers if each.value), None)

    return protect if guards else lambda path, root: None


def _failed(errors: int, why: str) -> None:
    emit_event(
        logger,
        events.CLI_CLEANUP_FAILED,
        level=logging.ERROR,
        message=f"Cleanup failed: {why}",
        errors=max(1, errors),
    )
