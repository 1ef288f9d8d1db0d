"""Long work outside of requests: jobs, who carries them out, and how far they are.

Whoever carries a job out takes it by a conditional update, so that no two ever have it: a thread of this
process, ``integrity_work``, or a worker of Django's tasks.
"""

from integrity.tasks.background.carriers import choose_carrier
from integrity.tasks.background.carrying import carry_out
from integrity.tasks.background.kinds import logged_step
from integrity.tasks.background.planning import plan_in_background
from integrity.tasks.background.starting import resume_job, see_lost_jobs, start_job
from integrity.tasks.background.threads import wait_for_jobs
from integrity.tasks.background.waiting import wait_for_job

__all__ = [
    "carry_out",
    "choose_carrier",
    "logged_step",
    "plan_in_background",
    "resume_job",
    "see_lost_jobs",
    "start_job",
    "wait_for_job",
    "wait_for_jobs",
]
