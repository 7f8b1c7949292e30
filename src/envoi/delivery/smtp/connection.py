"""One connection after its handshake: carries one message after another, and knows of each how far it came.

The work is done in the callbacks of the wire, without a task per message: that, and sending the next message's
envelope along with the dot (RFC 2920 §3.1), is what makes it fast. Guarantees:

- body and dot are two writes; the dot waits until the kernel has the body, and `phase` is `DOT_SENT` before it;
- `before_dot` has returned before the dot is written; when it fails the dot is not written;
- an answer decides whenever it comes; without one the phase decides between `NotSent` and `Unknown`.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from envoi.delivery.smtp.envelopes import commands, stuffed
from envoi.delivery.smtp.jobs import Job, Owner
from envoi.delivery.smtp.outcomes import Accepted, Fault, FaultKind, NotSent, Outcome, SenderRefused, TakenBack, Unknown
from envoi.delivery.smtp.phases import Phase, Timeouts
from envoi.delivery.smtp.replies import Reply, smooth
from envoi.delivery.smtp.session import Session
from envoi.delivery.smtp.steps import Step
from envoi.delivery.smtp.verdicts import judge

DOT = b".\r\n"
_ENVELOPE = (Step.MAIL, Step.RCPT, Step.DATA)


class Connection:
    """See the module. One job is `current`, from its envelope to its body; one more waits for the answer to its dot."""

    def __init__(self, session: Session, owner: Owner, timeouts: Timeouts, limit: int) -> None:
        self.wire = session.wire
        self.features = session.features
        self.settled = 0
        self._owner = owner
        self._current: Job | None = None
        self._dotted: Job | None = None
        self._steps: deque[Step] = deque()
        self._left = max(1, limit)
        self._dirty = False
        self._ending = False
        self._unsent = 0
        self._timeouts = timeouts
        # By phase: a list costs a tenth of a dictionary with an enum's members as its keys.
        self._waits = [timeouts.command] * len(Phase)
        self._waits[Phase.DATA] = timeouts.data
        self._waits[Phase.BODY] = timeouts.body
        self._waits[Phase.DOT_SENT] = timeouts.dot
        self._waits[Phase.ANSWERED] = timeouts.quit
        self._deadline = owner.now + timeouts.idle
        self.wire.handler = self

    @property
    def idle(self) -> bool:
        return not (self._current or self._dotted or self._steps or self._ending or self.wire.closing)

    def begin(self, job: Job) -> None:
        """Carry this message; only when idle."""
        self.wire.write(self._opening(job))
        self._arm(Phase.MAIL)

    def quit(self) -> None:
        """Say goodbye and close; only when idle."""
        self._ending = True
        self._steps.append(Step.QUIT)
        self._arm(Phase.ANSWERED)
        self.wire.write(b"QUIT\r\n")

    # The wire calls these.

    def on_replies(self, replies: Sequence[Reply]) -> None:
        steps, done, job = self._steps, self._dotted, self._current
        if len(replies) == 4 and len(steps) == 4 and done and job and smooth(replies):
            # What happens a million times: a message is taken, and the whole envelope of the next one.
            self._dotted = None
            steps.clear()
            self._settle(done, Accepted(replies[0]))
            self._body(job)
            return
        last = len(replies) - 1
        for index, reply in enumerate(replies):
            if self.wire.fault is None:
                self._on_reply(reply, more=index < last or not self.wire.parser.empty)

    def on_drained(self) -> None:
        if self._current is not None and self._current.phase is Phase.BODY:
            self._dot(self._current)

    def on_lost(self, fault: Fault) -> None:
        self._ending = True
        jobs = (self._dotted, self._current)
        self._dotted = self._current = None
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
        self._current = job
        job.phase = Phase.MAIL
        mail, rcpt = commands(job.envelope, self.features)
        if self._dirty:
            self._dirty = False
            self._steps.append(Step.RSET)
            mail = b"RSET\r\n" + mail
        if not self.features.pipelining:
            self._steps.append(Step.MAIL)
            return mail
        self._steps.extend(_ENVELOPE)
        return b"%b%bDATA\r\n" % (mail, rcpt)

    def _body(self, job: Job) -> None:
        job.phase = Phase.BODY
        # The packet may wait to be filled by the dot, which is the very next write.
        envelope = job.envelope
        self.wire.write_body(envelope.data if envelope.clean_lines else stuffed(envelope.data))
        if self.wire.paused or self.wire.closing:
            self._arm(Phase.BODY)
            self._unsent = self.wire.unsent
        else:
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
        self._dotted, self._current = job, None
        self._steps.append(Step.DOT)
        self._arm(Phase.DOT_SENT)
        follower = self._owner.take(self) if self._left > 0 and self.features.pipelining else None
        self.wire.write(DOT if follower is None else DOT + self._opening(follower))

    # What is read.

    def _on_reply(self, reply: Reply, *, more: bool) -> None:
        """`more` says that the server went on talking without waiting for us."""
        if not self._steps:
            self._unasked(reply)
            return
        step = self._steps.popleft()
        if step is Step.DOT:
            self._answered(reply)
        elif step is Step.RSET or step is Step.QUIT:
            self._housekeeping(step, reply)
        elif self._current is not None:
            self._envelope(step, self._current, reply, more)
        if self._steps:
            phase = self._steps[0].phase
            self._arm(phase)
            if self._current is not None and self._dotted is None:
                self._current.phase = phase

    def _envelope(self, step: Step, job: Job, reply: Reply, more: bool) -> None:
        if step is Step.DATA and reply.code == 354:
            if job.refusal is None and more:
                # What it says now is no answer to a dot that was not sent: let it finish and go by that.
                return
            if job.refusal is None:
                self._body(job)
            else:
                # RFC 2920 §3.1: a lone dot ends a message that nobody is to get.
                self._steps.appendleft(Step.LONE_DOT)
                self.wire.write(DOT)
        elif step is Step.LONE_DOT:
            self._turned_down(job)
        elif reply.code == 421 or 300 <= reply.code < 400 or (step is Step.DATA and reply.positive):
            self._derailed(step, job, reply)
        else:
            if not reply.positive:
                job.refusal = job.refusal or judge(reply, step.phase)
                self._dirty = True
            self._next_command(step, job)

    def _next_command(self, step: Step, job: Job) -> None:
        if step is Step.DATA or (job.refusal is not None and not self.features.pipelining):
            self._turned_down(job)
        elif self.features.pipelining:
            return
        elif step is Step.MAIL:
            self._steps.append(Step.RCPT)
            self.wire.write(commands(job.envelope, self.features)[1])
        else:
            self._steps.append(Step.DATA)
            self.wire.write(b"DATA\r\n")

    def _answered(self, reply: Reply) -> None:
        job = self._dotted
        assert job is not None  # noqa: S101 - whoever awaits the answer to a dot has sent one
        if not (reply.positive or reply.transient or reply.permanent):
            self._steps.appendleft(Step.DOT)
            self.wire.abort(Fault(FaultKind.GARBAGE, f"the server answered the message with {reply}"))
            return
        self._dotted = None
        job.phase = Phase.ANSWERED
        if reply.code == 421:
            self._end()
        self._settle(job, Accepted(reply) if reply.positive else judge(reply, Phase.DOT_SENT))
        self._proceed()
        if reply.code == 421:
            self.wire.close()

    def _unasked(self, reply: Reply) -> None:
        """A reply nobody asked for: a refusal in the middle of the body decides; after any of them nothing is sure."""
        job, self._current = self._current, None
        if job is not None:
            if reply.transient or reply.permanent:
                self._settle(job, judge(reply, job.phase))
            else:
                self._settle(job, NotSent(Fault(FaultKind.GARBAGE, f"the server said {reply} unasked"), job.phase))
        self._end()
        self.wire.abort(Fault(FaultKind.DROPPED, "the server spoke out of turn"))

    def _derailed(self, step: Step, job: Job, reply: Reply) -> None:
        """A 421, or an answer that does not fit the command: this connection is of no more use."""
        outcome: Outcome
        if reply.code == 421:
            outcome = job.refusal or judge(reply, step.phase)
        else:
            fault = Fault(FaultKind.GARBAGE, f"the server answered {step.word} with {reply}")
            outcome = NotSent(fault, step.phase)
        self._current = None
        self._steps.clear()
        self._end()
        if isinstance(outcome, SenderRefused) and self.settled:
            self._owner.retry(job, outcome)
        else:
            self._settle(job, outcome)
        self.wire.close()

    def _housekeeping(self, step: Step, reply: Reply) -> None:
        if step is Step.QUIT:
            self.wire.close()
        elif not reply.positive:
            self.wire.abort(Fault(FaultKind.GARBAGE, f"the server answered {step.word} with {reply}"))

    # How it ends.

    def _turned_down(self, job: Job) -> None:
        """The envelope was refused, and said to its end."""
        self._current = None
        assert job.refusal is not None  # noqa: S101 - this is what it is called for
        self._settle(job, job.refusal)
        self._proceed()

    def _proceed(self) -> None:
        """What comes after a message that is done: the next one, or the goodbye."""
        if self._current is not None or self._dotted is not None or self._ending or self.wire.closing:
            return
        if self._left <= 0:
            self.quit()
        else:
            self._deadline = self._owner.now + self._timeouts.idle
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
        self._deadline = self._owner.now + self._waits[phase]
