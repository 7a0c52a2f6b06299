"""Fast integer inference: the reference's integers, by kernels whose exactness is proved."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from queue import SimpleQueue
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from flow.errors import ConfigError, DataError
from flow.graph.engine import _library
from flow.graph.engine._layout import frame_bytes
from flow.graph.engine._steps import step_of
from flow.graph.engine._worker import Worker
from flow.graph.observe import Seen
from flow.graph.reference import check_codes
from flow.graph.types import IntArray, IntGraph

BATCH_BYTES = 2 << 20  # tensors of a batch: few enough for a cache, many for a call's overhead
MOST_FRAMES = 256

Result = TypeVar("Result")
Progress = Callable[[int, int], None]


class Engine:
    """Integer inference of one graph; bit for bit what `flow.graph.reference` gives.

    Frames stream through in batches; beside its inputs and outputs a run holds no more than
    `memory_bytes` and two batches' results for each thread.
    """

    def __init__(
        self,
        graph: IntGraph,
        threads: int | None = 1,
        *,
        target: Sequence[str] = _library.NATIVE,
    ) -> None:
        """Pack the weights; compile the kernels when this processor has none yet.

        Args:
            threads: batches that are worked on at the same time; None: one for each core.
            target: g++'s target flags, for tests.

        Raises:
            ConfigError: `threads` is less than 1.
            RangeError: the graph's folded constants do not fit 62 bits.
            ToolMissing: g++ is not installed.
            FlowError: the kernels cannot be compiled or kept.
        """
        if threads is not None and threads < 1:
            raise ConfigError(f"{threads} threads cannot work; give 1 or more, or None for all.")
        self.graph = graph
        self.threads = threads or len(os.sched_getaffinity(0))
        self.batch_frames = min(max(BATCH_BYTES // frame_bytes(graph), 1), MOST_FRAMES)
        library = _library.load(tuple(target))
        self.steps = tuple(step_of(node, library) for node in graph.nodes)
        self._workers: SimpleQueue[Worker] = SimpleQueue()
        workers = [
            Worker(graph, self.steps, library, self.batch_frames) for _ in range(self.threads)
        ]
        for worker in workers:
            self._workers.put(worker)
        self.memory_bytes = sum(worker.memory_bytes for worker in workers)

    @property
    def by_reference(self) -> tuple[str, ...]:
        """Names of the nodes too wide for the kernels, which the reference computes."""
        nodes = zip(self.graph.nodes, self.steps, strict=True)
        return tuple(node.name for node, step in nodes if step is None)

    def run(self, codes: NDArray[Any], progress: Progress | None = None) -> IntArray:
        """Output codes [n, h, w, c] for input codes [n, h, w, c] of any integer type.

        Args:
            progress: called with (frames done, frames in all) after each batch.

        Raises:
            DataError: shape or values do not fit the graph's input.
        """
        batches = self.batches(codes)
        outputs, done = np.empty((len(codes), *self.graph.output.out_shape), np.int64), 0
        for batch in batches:
            outputs[done : done + len(batch)] = batch
            done += len(batch)
            if progress is not None:
                progress(done, len(codes))
        return outputs

    def batches(self, codes: NDArray[Any]) -> Iterator[IntArray]:
        """The same output codes batch by batch, in order, for inputs larger than memory.

        Raises:
            DataError: as `run`; for values, at the batch that holds them.
        """
        self._check(codes)
        return self._stream(codes, Worker.run)

    def run_taps(
        self, codes: NDArray[Any], progress: Progress | None = None
    ) -> dict[str, IntArray]:
        """Output codes of every node, by name, as `reference.run_taps`.

        Raises:
            DataError: as `run`.
        """
        self._check(codes)
        found: list[dict[str, IntArray]] = []
        done = 0
        for taps in self._stream(codes, Worker.run_taps):
            found.append(taps)
            done += len(taps[self.graph.input_name])
            if progress is not None:
                progress(done, len(codes))
        return {name: np.concatenate([taps[name] for taps in found]) for name in found[0]}

    def observe(self, codes: NDArray[Any], progress: Progress | None = None) -> dict[str, Seen]:
        """What every node shows on input codes, by name, as `flow.graph.observe.observe`.

        The kernels take notes of their own accumulators; no tensor leaves its batch.

        Raises:
            DataError: as `run`.
        """
        self._check(codes)
        found: dict[str, Seen] = {}
        done = 0
        for frames, seen in self._stream(codes, _observed):
            found = {name: found[name] + new for name, new in seen.items()} if found else seen
            done += frames
            if progress is not None:
                progress(done, len(codes))
        return found

    def _check(self, codes: NDArray[Any]) -> None:
        if codes.dtype.kind not in "iu":
            raise DataError(
                f"input codes of {self.graph.name!r} are {codes.dtype}, not integers.\n"
                "  Map raw data with flow.graph.map_input first."
            )
        if codes.shape[1:] != self.graph.input_shape or len(codes) == 0:
            check_codes(self.graph, codes)  # raises; values are looked at batch by batch

    def _stream(
        self, codes: NDArray[Any], work: Callable[[Worker, NDArray[Any]], Result]
    ) -> Iterator[Result]:
        """Results of batches, in order; the last batch may be shorter."""
        frames = min(self.batch_frames, -(-len(codes) // self.threads))
        batches = (codes[start : start + frames] for start in range(0, len(codes), frames))
        if self.threads == 1:
            yield from (self._borrowed(work, batch) for batch in batches)
            return
        with ThreadPoolExecutor(self.threads) as pool:
            pending: deque[Future[Result]] = deque()
            for batch in batches:
                pending.append(pool.submit(self._borrowed, work, batch))
                if len(pending) == 2 * self.threads:
                    yield pending.popleft().result()
            while pending:
                yield pending.popleft().result()

    def _borrowed(
        self, work: Callable[[Worker, NDArray[Any]], Result], batch: NDArray[Any]
    ) -> Result:
        check_codes(self.graph, batch)
        worker = self._workers.get()
        try:
            return work(worker, batch)
        finally:
            self._workers.put(worker)


def _observed(worker: Worker, codes: NDArray[Any]) -> tuple[int, dict[str, Seen]]:
    return len(codes), worker.observe(codes)
