/* Parts of a page that are fetched when the page is there, and change without it: rows of a target, above all.
   [data-fragment-url] is fetched at once; a[data-fragment-link] inside [data-fragment] changes that part alone.
   Without this script every link leads to a whole page. */
'use strict';
{
    const asPart = address => {
        const url = new URL(address, location.href);
        url.searchParams.set('fragment', '1');
        return url;
    };

    const failed = (place, address) => {
        const note = document.createElement('p');
        note.className = 'integrity-note warning';
        note.setAttribute('role', 'alert');
        const link = document.createElement('a');
        link.href = address;
        link.textContent = place.dataset.failed || address;
        note.append(link);
        place.replaceChildren(note);
    };

    const load = async (place, address, focus) => {
        place.setAttribute('aria-busy', 'true');
        const started = Symbol();
        place.integrityLoading = started;
        try {
            const answer = await fetch(asPart(address), {credentials: 'same-origin', redirect: 'error'});
            const type = answer.headers.get('Content-Type') || '';
            if (!type.startsWith('text/html') || !(answer.ok || answer.status === 400)) {
                throw new Error(answer.status);
            }
            const html = await answer.text();
            if (place.integrityLoading !== started) {
                return;
            }
            place.replaceChildren(...new DOMParser().parseFromString(html, 'text/html').body.childNodes);
            place.dispatchEvent(new CustomEvent('integrity:fragment', {bubbles: true}));
            if (focus) {
                const target = place.querySelector('[tabindex="-1"]') || place;
                target.focus({preventScroll: true});
                if (place.getBoundingClientRect().top < 0) {
                    place.scrollIntoView();
                }
            }
        } catch (error) {
            if (place.integrityLoading === started) {
                failed(place, address);
            }
        } finally {
            if (place.integrityLoading === started) {
                place.removeAttribute('aria-busy');
            }
        }
    };

    const ticks = form => [...form.querySelectorAll('input[name="row"]')];

    /* One box that ticks all rows of the page, buttons that wait for a tick. */
    const followTicks = root => {
        for (const form of root.querySelectorAll('.integrity-rows form')) {
            const boxes = ticks(form);
            const head = form.querySelector('thead .integrity-tick');
            if (!boxes.length || !head || head.querySelector('input')) {
                continue;
            }
            const all = document.createElement('input');
            all.type = 'checkbox';
            all.setAttribute('aria-label', head.dataset.all);
            head.append(all);
            const buttons = form.querySelectorAll('button[formaction]:not([form])');
            const follow = () => {
                const chosen = boxes.filter(box => box.checked).length;
                all.checked = chosen === boxes.length;
                all.indeterminate = chosen > 0 && !all.checked;
                buttons.forEach(button => { button.disabled = !chosen; });
                boxes.forEach(box => box.closest('tr').classList.toggle('selected', box.checked));
            };
            all.addEventListener('change', () => {
                boxes.forEach(box => { box.checked = all.checked; });
                follow();
            });
            form.addEventListener('change', follow);
            follow();
        }
    };

    document.addEventListener('click', event => {
        const link = event.target.closest('a[data-fragment-link]');
        const place = link && link.closest('[data-fragment]');
        if (!place || event.button || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) {
            return;
        }
        event.preventDefault();
        load(place, link.href, true);
    });

    /* The whole of a row opens below it, over the width of the table. */
    document.addEventListener('toggle', event => {
        const beside = event.target, row = beside.closest('.integrity-beside') && beside.closest('tr');
        if (!row) {
            return;
        }
        const below = row.nextElementSibling;
        if (beside.open && beside.querySelector('dl')) {
            const line = document.createElement('tr'), cell = line.insertCell(), held = document.createElement('div');
            line.className = 'integrity-row-below';
            cell.colSpan = row.cells.length;
            cell.append(held);
            held.append(beside.querySelector('dl'));
            row.after(line);
        } else if (!beside.open && below && below.matches('.integrity-row-below')) {
            beside.append(below.querySelector('dl'));
            below.remove();
        }
    }, true);
    document.addEventListener('integrity:fragment', event => followTicks(event.target));
    window.addEventListener('pageshow', () => followTicks(document));
    followTicks(document);
    for (const place of document.querySelectorAll('[data-fragment-url]')) {
        load(place, place.dataset.fragmentUrl, false);
    }
}
