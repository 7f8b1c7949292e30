"""One connection after its handshake: carries one message after another, and knows of each how far it came.

The work is done in the callbacks of the wire, without a task per message: that, and sending the next message's
envelope along with the dot (RFC 2920 §3.1), is what makes it fast. Guarantees:

- body and dot are two writes; the dot waits until the kernel has the body, and `phase` is `DOT_SENT` before it;
- `before_dot` has returned before the dot is written; when it fails the dot is not written;
- an answer decides whenever it comes; without one the phase decides between `NotSent` and `Unknown`.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Protocol

from envoi.delivery.smtp.envelopes import commands, stuffed
from envoi.delivery.smtp.jobs import Job, Step
from envoi.delivery.smtp.outcomes import Accepted, Fault, FaultKind, NotSent, Outcome, SenderRefused, TakenBack, Unknown
from envoi.delivery.smtp.phases import Phase, Timeouts
from envoi.delivery.smtp.replies import Reply
from envoi.delivery.smtp.session import Session
from envoi.delivery.smtp.verdicts import judge

DOT = b".\r\n"


class Owner(Protocol):
    """What a connection needs of its pool."""

    def take(self, connection: Connection) -> Job | None: ...

    def before_dot(self, job: Job) -> None: ...

    def settle(self, job: Job, outcome: Outcome) -> None: ...

    def retry(self, job: Job, outcome: Outcome) -> None: ...

    def free(self, connection: Connection) -> None: ...

    def gone(self, connection: Connection) -> None: ...


class Connection:
    """See the module. At most one job is current; one more may have its envelope already on the way."""

    def __init__(self, session: Session, owner: Owner, timeouts: Timeouts, limit: int) -> None:
        self.wire = session.wire
        self.features = session.features
        self.settled = 0
        self.current: Job | None = None
        self._owner = owner
        self._timeouts = timeouts
        self._left = max(1, limit)
        self._steps: deque[Step] = deque()
        self._dirty = False
        self._ending = False
        self._unsent = 0
        self._waits = {
            Phase.MAIL: timeouts.command,
            Phase.RCPT: timeouts.command,
            Phase.DATA: timeouts.data,
            Phase.BODY: timeouts.body,
            Phase.DOT_SENT: timeouts.dot,
            Phase.ANSWERED: timeouts.quit,
        }
        self._time = asyncio.get_running_loop().time
        self._deadline = self._time() + timeouts.idle
        self.wire.handler = self

    @property
    def idle(self) -> bool:
        return self.current is None and not self._steps and not self._ending and not self.wire.closing

    def begin(self, job: Job) -> None:
        """Carry this message; only when idle."""
        self.current = job
        self.wire.write(self._opening(job))
        self._arm(Phase.MAIL)

    def quit(self) -> None:
        """Say goodbye and close; only when idle."""
        self._ending = True
        self._steps.append(Step("QUIT", Phase.ANSWERED))
        self._deadline = self._time() + self._timeouts.quit
        self.wire.write(b"QUIT\r\n")

    # The wire calls these.

    def on_reply(self, reply: Reply) -> None:
        if not self._steps:
            self._unasked(reply)
            return
        step = self._steps.popleft()
        if step.job is None:
            self._housekeeping(step, reply)
        elif step.word == "DOT":
            self._answered(step.job, reply)
        else:
            self._envelope(step, step.job, reply)
        if self._steps:
            head = self._steps[0]
            self._arm(head.phase)
            if head.job is not None:
                head.job.phase = head.phase

    def on_drained(self) -> None:
        if self.current is not None and self.current.phase is Phase.BODY:
            self._dot(self.current)

    def on_lost(self, fault: Fault) -> None:
        self._ending = True
        jobs = dict.fromkeys([self.current, *(step.job for step in self._steps)])
        self.current = None
        self._steps.clear()
        for job in jobs:
            if job is not None:
                self._broken(job, fault)
        self._owner.gone(self)

    def on_tick(self, now: float) -> None:
        unsent = self.wire.unsent
        if unsent < self._unsent:
            self._deadline = max(self._deadline, now + self._timeouts.body)
        self._unsent = unsent
        if now < self._deadline:
            return
        if self.idle:
            self.quit()
        else:
            self.wire.abort(Fault(FaultKind.TIMEOUT, "the server did not answer in time"))

    # What is written.

    def _opening(self, job: Job) -> bytes:
        """The commands of an envelope: all three when the server reads ahead, else the first; RSET before if needed."""
        self._left -= 1
        job.phase = Phase.MAIL
        mail, rcpt = commands(job.envelope, self.features)
        opening = mail
        if self._dirty:
            self._dirty = False
            self._steps.append(Step("RSET", Phase.MAIL))
            opening = b"RSET\r\n" + mail
        self._steps.append(Step("MAIL", Phase.MAIL, job))
        if self.features.pipelining:
            self._steps.append(Step("RCPT", Phase.RCPT, job))
            self._steps.append(Step("DATA", Phase.DATA, job))
            opening += rcpt + b"DATA\r\n"
        return opening

    def _body(self, job: Job) -> None:
        job.phase = Phase.BODY
        self._arm(Phase.BODY)
        data = job.envelope.data
        self.wire.write(stuffed(data), f"({len(data)} bytes of message)")
        self._unsent = self.wire.unsent
        if not self.wire.paused and not self.wire.closing:
            self._dot(job)

    def _dot(self, job: Job) -> None:
        try:
            self._owner.before_dot(job)
        except TakenBack:
            self.wire.abort(Fault(FaultKind.WITHHELD, "taken back before the final dot"))
            return
        except Exception as error:  # whatever the record of the dot failed of, the dot must not follow
            self.wire.abort(Fault(FaultKind.HOOK, f"the dot could not be recorded: {error}"))
            return
        job.phase = Phase.DOT_SENT
        self._steps.append(Step("DOT", Phase.DOT_SENT, job))
        self._arm(Phase.DOT_SENT)
        follower = self._owner.take(self) if self.features.pipelining and self._left > 0 else None
        self.wire.write(DOT if follower is None else DOT + self._opening(follower))

    # What is read.

    def _envelope(self, step: Step, job: Job, reply: Reply) -> None:
        if step.word == "DATA" and reply.code == 354:
            if job.refusal is None:
                self._body(job)
            else:
                # RFC 2920 §3.1: a lone dot ends a message that nobody is to get.
                self._steps.appendleft(Step("LONE DOT", Phase.DATA, job))
                self.wire.write(DOT)
            return
        if step.word == "LONE DOT":
            self._finish(job)
            return
        if reply.code == 421 or 300 <= reply.code < 400 or (step.word == "DATA" and reply.positive):
            self._derailed(step, job, reply)
            return
        if not reply.positive:
            job.refusal = job.refusal or judge(reply, step.phase)
            self._dirty = True
        if self.features.pipelining:
            if step.word == "DATA":
                self._finish(job)
        elif job.refusal is not None:
            self._finish(job)
        elif step.word == "MAIL":
            self._steps.append(Step("RCPT", Phase.RCPT, job))
            self.wire.write(commands(job.envelope, self.features)[1])
        else:
            self._steps.append(Step("DATA", Phase.DATA, job))
            self.wire.write(b"DATA\r\n")

    def _answered(self, job: Job, reply: Reply) -> None:
        job.phase = Phase.ANSWERED
        if reply.positive:
            self._finish(job, Accepted(reply))
        elif reply.transient or reply.permanent:
            if reply.code == 421:
                self._end()
            self._finish(job, judge(reply, Phase.DOT_SENT))
            if self._ending:
                self.wire.close()
        else:
            job.phase = Phase.DOT_SENT
            self._steps.appendleft(Step("DOT", Phase.DOT_SENT, job))
            self.wire.abort(Fault(FaultKind.GARBAGE, f"the server answered the message with {reply}"))

    def _unasked(self, reply: Reply) -> None:
        """A reply nobody asked for: a refusal in the middle of the body decides; after any of them nothing is sure."""
        job = self.current
        self.current = None
        if job is not None:
            if reply.transient or reply.permanent:
                self._settle(job, judge(reply, job.phase))
            else:
                self._settle(job, NotSent(Fault(FaultKind.GARBAGE, f"the server said {reply} unasked"), job.phase))
        self._end()
        self.wire.abort(Fault(FaultKind.DROPPED, "the server spoke out of turn"))

    def _derailed(self, step: Step, job: Job, reply: Reply) -> None:
        """A 421, or an answer that does not fit the command: this connection is of no more use."""
        if reply.code == 421:
            outcome = job.refusal or judge(reply, step.phase)
        else:
            outcome = NotSent(Fault(FaultKind.GARBAGE, f"the server answered {step.word} with {reply}"), step.phase)
        self.current = None
        self._steps.clear()
        self._end()
        if isinstance(outcome, SenderRefused) and self.settled:
            self._owner.retry(job, outcome)
        else:
            self._settle(job, outcome)
        self.wire.close()

    def _housekeeping(self, step: Step, reply: Reply) -> None:
        if step.word == "QUIT":
            self.wire.close()
        elif not reply.positive:
            self.wire.abort(Fault(FaultKind.GARBAGE, f"the server answered {step.word} with {reply}"))

    # How it ends.

    def _finish(self, job: Job, outcome: Outcome | None = None) -> None:
        self.current = self._steps[0].job or self._steps[1].job if self._steps else None
        result = outcome or job.refusal
        assert result is not None  # noqa: S101 - a job finishes by an answer or a refusal
        self._settle(job, result)
        if self.current is None and not self._ending and not self.wire.closing:
            if self._left <= 0:
                self.quit()
            else:
                self._deadline = self._time() + self._timeouts.idle
                self._owner.free(self)

    def _settle(self, job: Job, outcome: Outcome) -> None:
        self.settled += 1
        self._owner.settle(job, outcome)

    def _broken(self, job: Job, fault: Fault) -> None:
        if job.refusal is not None:
            self._settle(job, job.refusal)
        elif not job.phase.surely_unsent:
            self._settle(job, Unknown(fault))
        elif self.settled and job.phase < Phase.BODY and fault.kind is FaultKind.DROPPED:
            # A server may end a connection between two messages; that is no failure of the second.
            self._owner.retry(job, NotSent(fault, job.phase))
        else:
            self._settle(job, NotSent(fault, job.phase))

    def _end(self) -> None:
        """No further message on this connection."""
        self._ending = True
        self._left = 0

    def _arm(self, phase: Phase) -> None:
        self._deadline = self._time() + self._waits[phase]
