"""From frames to channels: every edge of an alert, once, in order.

Its thread only reads: the monitor never waits for it, and a channel never waits for another.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence

from rms_tui.alert_edges import Edges
from rms_tui.frame import Frame
from rms_tui.latest import Latest
from rms_tui.plural import counted
from rms_tui.serve.notify.channel import Channel
from rms_tui.serve.notify.notice import notice_of
from rms_tui.serve.notify.post import Delivery, Post, Send

_log = logging.getLogger("rms_tui.notify")

LOOK = 0.5


class Notifier:
    """Tells the channels about the alerts of a monitor. `status` is how each channel stands."""

    def __init__(
        self,
        frames: Latest[Frame],
        edges: Edges,
        channels: Sequence[tuple[Channel, Send]],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.status: Latest[tuple[Delivery, ...]] = Latest()
        self._frames = frames
        self._edges = edges
        self._told = edges.count
        self._posts: list[Post] = []
        for channel, send in channels:
            self._posts.append(Post(channel, send, clock=clock, changed=self._publish))
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="rms-notify", daemon=True)
        self._publish()

    def start(self) -> None:
        """Begin to tell; returns at once."""
        for post in self._posts:
            post.start()
        self._thread.start()

    def stop(self) -> None:
        """Tell no more; what was not delivered is counted in the log."""
        self._stopping.set()
        left = sum(post.stop(0.1) for post in self._posts)
        if left:
            _log.warning("not delivered: %s", counted(left, "notice"))

    def look(self, upto: int) -> None:
        """Tell the channels about the edges up to that number."""
        events, whole = self._edges.between(self._told, upto)
        self._told = max(self._told, upto)
        if not whole:
            _log.warning("too many alerts came at once: some were not sent")
        for event in events:
            notice = notice_of(event)
            if notice is not None:
                for post in self._posts:
                    post.tell(notice)

    def _publish(self) -> None:
        self.status.put(tuple(post.delivery for post in self._posts))

    def _run(self) -> None:
        seen = 0
        while not self._stopping.is_set():
            got = self._frames.newer(seen, LOOK)
            if got is not None:
                seen, frame = got
                self.look(frame.edges)
