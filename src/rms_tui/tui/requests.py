"""What operators ask for: a question, a command to the monitor, a word about what became of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

from textual.app import App

from rms_tui.account_keys import login_of
from rms_tui.alerts import Stage
from rms_tui.monitor import Monitor
from rms_tui.plural import counted
from rms_tui.risk.entries import Outcome
from rms_tui.risk.own_profile import OwnProfile
from rms_tui.tui import figures, limits
from rms_tui.tui.announcer import ToastSeverity
from rms_tui.tui.errand import once, run_errand
from rms_tui.tui.fleet_side import FleetSide
from rms_tui.tui.heading import Moment
from rms_tui.tui.keys_line import key_of
from rms_tui.tui.messages import AckAsked, EntryAsked, LimitsAsked, RemoveAsked, SnoozeAsked
from rms_tui.tui.panes.account_figures import row_of_login
from rms_tui.tui.screens.ask import Ask
from rms_tui.tui.screens.by_hand import EnterByHand, Entered, amount
from rms_tui.tui.screens.confirm import Confirm
from rms_tui.tui.screens.limits import BACK, OWN, Choice, ChooseLimits, OwnLimits
from rms_tui.tui.screens.snooze import SnoozeMenu
from rms_tui.tui.words import rule_words


class Say(Protocol):
    """A toast of one or more lines."""

    def __call__(
        self, text: str | Sequence[str], title: str = "", severity: ToastSeverity = "information"
    ) -> None: ...


class Requests:
    """Asks on the screens of an App and commands its monitor, in an operator's name."""

    def __init__(
        self,
        app: App[Any],
        monitor: Monitor,
        operator: str,
        moment: Callable[[], Moment | None],
        say: Say,
        fleet: FleetSide | None = None,
    ) -> None:
        self._app = app
        self._monitor = monitor
        self._operator = operator
        self._moment = moment
        self._say = say
        self._fleet = fleet

    def remove(self, asked: RemoveAsked) -> None:
        """Stop watching an account, once confirmed."""

        if self._fleet is not None:
            self._remove_element(self._fleet, asked.login)
            return

        def answered(yes: bool | None) -> None:
            if yes:
                outcomes = self._monitor.remove([asked.login], self._operator)
                for login, outcome in outcomes:
                    self._say(f"{login}: {outcome}")

        name, add = self._name_of(asked.login), key_of(self._app.screen, "add")
        self._app.push_screen(
            Confirm(
                "Remove account",
                f"Stop watching {asked.login} {name}?",
                "Its row, positions and alerts leave the desk. Nothing happens to the account "
                f"itself; {add} brings it back.",
            ),
            answered,
        )

    def _remove_element(self, fleet: FleetSide, key: int) -> None:
        """Have a fleet's account watched no more, once confirmed; said once it is written."""
        row = next((one for one in fleet.newest.rows if one.key == key), None)
        server = self._server_of(key) if row is None else row.server
        who = f"{login_of(key)} on {server}"

        def answered(yes: bool | None) -> None:
            if yes:
                run_errand(
                    self._app,
                    "remove-element",
                    once(lambda: fleet.remove(key)),
                    self._say,
                    lambda error: self._say(f"{who} not removed: {error.text}", severity="error"),
                )

        add = key_of(self._app.screen, "add")
        self._app.push_screen(
            Confirm(
                "Remove from the fleet",
                f"Stop watching {who}?",
                "Its worker ends and its terminal is free for another one. Nothing happens to the "
                f"account itself; {add} adds it again, with its password.",
            ),
            answered,
        )

    def _server_of(self, key: int) -> str:
        """Where a fleet's account is: there its group."""
        moment = self._moment()
        row = None if moment is None else row_of_login(moment.frame, key)
        if moment is None or moment.frame.book is None or row is None:
            return "?"
        return moment.frame.book.accounts.group[row]

    def acknowledge(self, asked: AckAsked) -> None:
        """Mark alerts as handled, under the operator's name."""
        frame = self._monitor.frames.value
        alerts = [] if frame is None else [a for a in frame.alerts if a.stage is Stage.RAISED]
        if asked.alert_id is not None:
            alerts = [alert for alert in alerts if alert.id == asked.alert_id]
        else:
            alerts = [alert for alert in alerts if alert.login == asked.login]
        if not alerts:
            self._say("nothing here to acknowledge")
            return

        def noted(note: str | None) -> None:
            for alert in alerts:
                self._monitor.acknowledge(alert.id, self._operator, note or None)

        if not asked.with_note:
            noted(None)
            return
        title = f"Acknowledge {len(alerts)} of {login_of(alerts[0].login)}"
        self._app.push_screen(
            Ask(title, "A note for the next shift"),
            lambda note: None if note is None else noted(note),
        )

    def snooze(self, asked: SnoozeAsked) -> None:
        """Silence alerts for a time that is asked for, under the operator's name."""
        frame = self._monitor.frames.value
        alerts = [] if frame is None else list(frame.alerts)
        if asked.alert_id is not None:
            alerts = [alert for alert in alerts if alert.id == asked.alert_id]
        else:
            alerts = [a for a in alerts if a.login == asked.login and a.stage is Stage.RAISED]
        if not alerts:
            self._say("nothing here to snooze")
            return

        def chosen(seconds: float | None) -> None:
            if seconds is None:
                return
            done = [self._monitor.snooze(alert.id, seconds, self._operator) for alert in alerts]
            offset = None if frame is None else frame.health.server_offset
            until = figures.clock(self._monitor.now() + seconds, offset, seconds=False)
            self._say(
                f"{_alerts(sum(done))} of {login_of(alerts[0].login)} snoozed until {until}"
                if any(done)
                else "no longer open: nothing snoozed"
            )

        first = alerts[0]
        what = rule_words(first.rule) if len(alerts) == 1 else _alerts(len(alerts))
        self._app.push_screen(SnoozeMenu(f"{login_of(first.login)} {first.name}: {what}"), chosen)

    def enter(self, asked: EntryAsked) -> None:
        """Enter what nobody vouches for, and say of each day and peak what became of it."""
        login, frame = asked.login, self._monitor.frames.value
        known = [] if frame is None else limits.by_hand(frame, login, self._monitor.now())
        if not known:
            self._say(f"{login_of(login)}: its trading days are not known yet", severity="warning")
            return

        def answered(taken: Entered | None) -> None:
            if taken is not None:
                self._enter(login, taken, [one.of for one in known])

        self._app.push_screen(EnterByHand(self._title(login), known), answered)

    def _enter(self, login: int, taken: Entered, shown: Sequence[object]) -> None:
        monitor, by = self._monitor, self._operator
        said: list[Outcome] = []
        try:
            if taken.base is not None:
                said += monitor.enter_base(login, *taken.base, by)
            for trail, value in taken.peaks:
                said += monitor.enter_peak(login, trail, value, by)
        except ValueError as error:
            self._say(f"not entered: {error}", severity="error")
            return
        used = any(one.used for one in said)
        lines = [one.words for one in said if one.of in shown]
        if used:
            lines.append("shown with the next poll")
        self._say(lines, str(login_of(login)), "information" if used else "warning")

    def interval(self) -> None:
        """Ask for the seconds between two polls, and poll so from now on."""

        def taken(answer: str | None) -> None:
            if answer is not None:
                self._monitor.set_interval(float(answer))
                self._say(f"polls every {float(answer):g} s")

        question = f"Seconds between two polls, now {self._monitor.interval:g}"
        self._app.push_screen(Ask("Poll interval", question, wrong=_wrong_interval), taken)

    def limit(self, asked: LimitsAsked) -> None:
        """Judge an account by another profile, by limits of its own, or by its group's again."""
        login, frame = asked.login, self._monitor.frames.value
        present = None if frame is None else limits.applied(frame, login)
        if present is None:
            self._say(f"{login_of(login)} is not watched", severity="warning")
            return
        title = self._title(login)

        def chosen(choice: Choice | None) -> None:
            if choice is None:
                return
            if choice.kind == BACK:
                self._assign(login, None)
            elif choice.kind == OWN:
                own = self._monitor.own_profiles.get(login)
                self._app.push_screen(OwnLimits(title, own), typed)
            elif choice.kind == "preset" and limits.wants_initial(choice.name):
                self._ask_initial(login, choice.name)
            else:
                self._assign(login, choice.name)

        def typed(own: OwnProfile | None) -> None:
            if own is not None:
                self._assign(login, own)

        lines = list(limits.choices(self._monitor.plan, present))
        self._app.push_screen(ChooseLimits(title, limits.assigned_words(present), lines), chosen)

    def _ask_initial(self, login: int, preset: str) -> None:
        """A preset whose rules count from an initial balance: without one they say `unknown`."""

        def wrong(text: str) -> str | None:
            value = amount(text)
            return None if value is not None and value > 0 else "expected an amount such as 100000"

        def taken(text: str | None) -> None:
            if text is not None:
                self._assign(login, {"preset": preset, "initial_balance": amount(text)})

        question = f"{preset} counts from the initial balance of {login_of(login)}: what is it?"
        self._app.push_screen(Ask("Initial balance", question, wrong=wrong), taken)

    def _assign(self, login: int, profile: OwnProfile | None) -> None:
        try:
            self._monitor.assign(login, profile, self._operator)
        except ValueError as error:
            self._say(f"limits of {login_of(login)} not changed: {error}", severity="error")
            return
        words = "its group's again" if profile is None else "of its own"
        if isinstance(profile, str):
            words = profile
        self._say(f"limits of {login_of(login)}: {words}, from the next poll on")

    def _title(self, login: int) -> str:
        return f"{login_of(login)} {self._name_of(login)}"

    def _name_of(self, login: int) -> str:
        moment = self._moment()
        if moment is None or moment.frame.book is None:
            return ""
        row = row_of_login(moment.frame, login)
        return "" if row is None else moment.frame.book.accounts.name[row]


def _alerts(number: int) -> str:
    return counted(number, "alert")


def _wrong_interval(text: str) -> str | None:
    try:
        seconds = float(text)
    except ValueError:
        return "expected seconds, 0.05 to 3600"
    return None if 0.05 <= seconds <= 3600 else "expected seconds, 0.05 to 3600"
