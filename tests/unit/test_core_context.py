"""Operations nest, and follow work into tasks, threads and child processes."""

from __future__ import annotations

import asyncio
import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hephaestus.context import (
    bind_context,
    check_run_id,
    child_environment,
    current_context,
    generate_operation_id,
    generate_run_id,
    operation_context,
    run_from_environment,
    set_run,
)
from hephaestus.errors import EventError

TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"


@pytest.fixture(autouse=True)
def _no_run_left_behind() -> Iterator[None]:
    set_run(None)
    yield
    set_run(None)


def test_generated_ids_have_their_prefix_and_differ() -> None:
    assert re.fullmatch(r"run-[0-9a-f]{32}", generate_run_id())
    assert re.fullmatch(r"op-[0-9a-f]{16}", generate_operation_id())
    assert len({generate_operation_id() for _ in range(100)}) == 100


def test_an_operation_sets_its_name_id_and_fields_and_takes_them_away() -> None:
    with operation_context("release.download", operation_id="op-abc123", repository="owner/repo") as context:
        assert current_context() is context
        assert context.fields == {
            "operation": "release.download",
            "operation_id": "op-abc123",
            "repository": "owner/repo",
        }
    assert current_context().fields == {}


def test_an_operation_without_an_id_gets_a_fresh_one_each_time() -> None:
    block = operation_context("a")
    ids = []
    for _ in range(2):
        with block as context:
            ids.append(context.operation_id)
    assert len(set(ids)) == 2
    assert all(each and each.startswith("op-") for each in ids)


def test_a_nested_operation_names_its_parent_and_inherits_the_fields() -> None:
    with (
        operation_context("outer", operation_id="op-1", shared="o", own="x"),
        operation_context("middle", operation_id="op-2", shared="m") as middle,
        operation_context("inner", operation_id="op-3") as inner,
    ):
        pass
    assert middle.fields["parent_operation_id"] == "op-1"
    assert inner.fields == {
        "operation": "inner",
        "operation_id": "op-3",
        "parent_operation_id": "op-2",
        "shared": "m",
        "own": "x",
    }


def test_an_exception_leaves_the_operation_and_passes() -> None:
    with pytest.raises(RuntimeError, match="boom"), operation_context("a"):
        raise RuntimeError("boom")
    assert current_context().fields == {}


@pytest.mark.parametrize("field", ["event", "logger", "message", "operation", "run_id", "parent_operation_id"])
def test_a_reserved_field_is_refused(field: str) -> None:
    fields: dict[str, Any] = {field: "x"}
    with pytest.raises(EventError, match=f"'{field}'"):
        operation_context("a", **fields)


@pytest.mark.parametrize(("name", "operation_id"), [("", None), (None, None), (3, None), ("a", ""), ("a", 3)])
def test_an_empty_name_or_id_is_refused(name: Any, operation_id: Any) -> None:
    with pytest.raises(EventError, match="non-empty str"):
        operation_context(name, operation_id=operation_id)


def test_asyncio_tasks_inherit_the_operation_and_do_not_disturb_each_other() -> None:
    async def work(name: str) -> tuple[Any, Any]:
        with operation_context(name) as context:
            await asyncio.sleep(0)
            return current_context() is context, context.fields["parent_operation_id"]

    async def main() -> list[tuple[Any, Any]]:
        with operation_context("all", operation_id="op-all"):
            return await asyncio.gather(*(work(f"w{i}") for i in range(5)))

    assert asyncio.run(main()) == [(True, "op-all")] * 5


def test_a_bare_thread_has_the_run_but_not_the_operation() -> None:
    set_run("run-x")
    seen = []
    with operation_context("a"):
        thread = threading.Thread(target=lambda: seen.append(current_context()))
        thread.start()
        thread.join()
    assert (seen[0].run_id, seen[0].fields) == ("run-x", {})


def test_a_bound_function_runs_in_the_callers_operation_in_many_threads_at_once() -> None:
    barrier = threading.Barrier(3, timeout=30)

    def work(number: int) -> tuple[int, Any]:
        barrier.wait()
        with operation_context(f"w{number}"):
            return number, current_context().fields["parent_operation_id"]

    with operation_context("all", operation_id="op-all"), ThreadPoolExecutor(3) as pool:
        assert list(pool.map(bind_context(work), range(3))) == [(i, "op-all") for i in range(3)]


def test_bind_context_keeps_the_functions_name_and_answer() -> None:
    def double(number: int) -> int:
        return 2 * number

    bound = bind_context(double)
    assert (bound.__name__, bound(4)) == ("double", 8)


def test_a_child_process_continues_the_run_and_names_the_parent_operation() -> None:
    program = (
        "import json; from hephaestus.context import *; run, parent = run_from_environment();"
        "set_run(run, parent_operation_id=parent)\n"
        "with operation_context('child') as c: print(json.dumps([c.run_id, dict(c.fields)]))"
    )
    run_id, operation_id = generate_run_id(), generate_operation_id()
    set_run(run_id)
    with operation_context("parent", operation_id=operation_id):
        environment = {**os.environ, **child_environment()}
    output = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, check=True).stdout
    seen_run, fields = json.loads(output)
    assert seen_run == run_id
    assert fields["parent_operation_id"] == operation_id
    assert fields["operation_id"] != operation_id


def test_generated_ids_travel_as_the_trace_and_span_themselves() -> None:
    set_run(f"run-{TRACE}")
    with operation_context("a", operation_id=f"op-{SPAN}"):
        assert child_environment() == {"HEPHAESTUS_RUN_ID": f"run-{TRACE}", "TRACEPARENT": f"00-{TRACE}-{SPAN}-01"}


def test_without_a_run_a_child_gets_nothing() -> None:
    assert child_environment() == {}


@given(st.from_regex(r"[A-Za-z0-9_.:@/+-]{1,128}", fullmatch=True), st.text(st.characters(), min_size=1))
def test_any_ids_give_a_valid_traceparent(run_id: str, operation_id: str) -> None:
    set_run(run_id)
    with operation_context("a", operation_id=operation_id):
        variables = child_environment()
    read_run, parent = run_from_environment(variables)
    assert read_run == run_id
    assert re.fullmatch(r"op-[0-9a-f]{16}", parent or "")


@pytest.mark.parametrize("run_id", ["", " ", "a b", "a\nb", "x" * 129, "ü", "a;b", None, 7])
def test_a_malformed_run_id_is_refused_with_the_rule(run_id: Any) -> None:
    with pytest.raises(EventError) as caught:
        check_run_id(run_id)
    assert "128" in (caught.value.hint or "")


def test_a_refused_run_id_leaves_the_run_as_it_was() -> None:
    set_run("run-good")
    with pytest.raises(EventError):
        set_run("bad id")
    assert current_context().run_id == "run-good"


def test_the_run_comes_from_the_trace_where_no_run_id_is_given() -> None:
    assert run_from_environment({"TRACEPARENT": f"00-{TRACE}-{SPAN}-01"}) == (f"run-{TRACE}", f"op-{SPAN}")
    assert run_from_environment({"TRACEPARENT": f"00-{TRACE}-{SPAN}-01", "HEPHAESTUS_RUN_ID": "r"}) == (
        "r",
        f"op-{SPAN}",
    )
    assert run_from_environment({}) == (None, None)


@pytest.mark.parametrize(
    "header",
    [
        "",
        "nonsense",
        f"ff-{TRACE}-{SPAN}-01",
        f"00-{TRACE}-{SPAN}",
        f"00-{TRACE}-{SPAN}-01-more",
        f"00-{TRACE.upper()}-{SPAN}-01",
        f"00-{'0' * 32}-{SPAN}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"00-{TRACE[1:]}-{SPAN}-01",
        f"00-{TRACE}-{SPAN}-0g",
    ],
)
def test_a_malformed_traceparent_counts_as_absent(header: str) -> None:
    assert run_from_environment({"TRACEPARENT": header}) == (None, None)


def test_a_later_version_of_traceparent_may_carry_more() -> None:
    assert run_from_environment({"TRACEPARENT": f"01-{TRACE}-{SPAN}-01-more"}) == (f"run-{TRACE}", f"op-{SPAN}")
