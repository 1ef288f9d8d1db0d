'use strict';

// Renews the parts of a job's page until it is over: those that changed, and no more, so that whoever reads,
// selects text or has the focus in one is left alone. A screen reader hears the state and each quarter.
{
    const page = document.querySelector('[data-live]');
    const first = 250, soonest = 1000, latest = 4000, patience = 5;
    let pause = first, failures = 0, said = '';

    const renewPart = (fresh) => {
        const part = page.querySelector(`[data-live-part="${fresh.dataset.livePart}"]`);
        if (!part || part.isEqualNode(fresh)) {
            return false;
        }
        const log = part.querySelector('ol');
        const followed = log && log.scrollTop + log.clientHeight >= log.scrollHeight - 4;
        const top = log ? log.scrollTop : 0;
        const focused = part.contains(document.activeElement) ? document.activeElement : null;
        part.replaceWith(fresh);
        const newLog = fresh.querySelector('ol');
        if (newLog) {
            newLog.scrollTop = followed ? newLog.scrollHeight : top;
        }
        const again = focused && (focused === log ? newLog
            : [...fresh.querySelectorAll('a')].find((link) => link.href === focused.href));
        if (again) {
            again.focus({preventScroll: true});
        }
        return true;
    };

    const renew = (state) => {
        const parts = [...state.querySelectorAll('[data-live-part]')];
        const changed = parts.map(renewPart).some(Boolean);
        const can = state.dataset.liveCan.split(' ');
        for (const button of page.querySelectorAll('[data-live-if]')) {
            button.hidden = !can.includes(button.dataset.liveIf);
        }
        if (state.dataset.liveSaying !== said) {
            said = state.dataset.liveSaying;
            page.querySelector('[data-live-said]').textContent = said;
        }
        return changed;
    };

    const complain = () => {
        const problem = page.querySelector('[data-live-problem]');
        problem.textContent = page.dataset.liveLost;
        problem.hidden = false;
    };

    const look = async () => {
        if (document.hidden) {
            document.addEventListener('visibilitychange', look, {once: true});
            return;
        }
        try {
            const response = await fetch(page.dataset.live, {credentials: 'same-origin', cache: 'no-store', redirect: 'error'});
            if (!response.ok) {
                throw new Error(response.statusText);
            }
            const answer = new DOMParser().parseFromString(await response.text(), 'text/html');
            const state = answer.querySelector('[data-live-state]');
            pause = Math.min(renew(state) ? soonest : latest, pause * 1.3);
            failures = 0;
            if (state.dataset.liveOver === 'yes') {
                if (state.dataset.liveNext) {
                    window.location.assign(state.dataset.liveNext);
                }
                return;
            }
        } catch {
            failures += 1;
            pause = latest;
        }
        if (failures < patience) {
            window.setTimeout(look, pause);
        } else {
            complain();
        }
    };

    if (page) {
        window.setTimeout(look, first);
    }
}
