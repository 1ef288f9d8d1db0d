/* input[data-autocomplete-url] becomes a combobox with a list (ARIA 1.2, "Editable Combobox With List
   Autocomplete"): it asks the address with ?term=… for {"results": [{"id", "text"}], "more", "note"} and takes an
   id. Without this script, or when nothing answers, it stays the text field that it is. Words come from the page:
   data-autocomplete-none, -more, -one, -many (with %s), -failed. */
'use strict';
{
    const WAIT = 250;
    let number = 0;

    class Combobox {
        constructor(input) {
            this.input = input;
            this.options = [];
            this.active = -1;
            const id = `integrity-autocomplete-${++number}`;

            this.box = document.createElement('div');
            this.box.className = 'integrity-autocomplete';
            input.before(this.box);
            this.list = Object.assign(document.createElement('ul'), {id, hidden: true});
            this.list.setAttribute('role', 'listbox');
            const label = input.labels && input.labels[0];
            this.list.setAttribute('aria-label', (label || input).textContent.trim() || input.name);
            this.note = Object.assign(document.createElement('p'), {className: 'integrity-autocomplete-note', hidden: true});
            this.said = Object.assign(document.createElement('p'), {className: 'integrity-hidden'});
            this.said.setAttribute('role', 'status');
            this.chosen = Object.assign(document.createElement('p'), {className: 'integrity-autocomplete-chosen', hidden: true});
            const focused = document.activeElement === input;
            this.box.append(input, this.list, this.chosen, this.note, this.said);
            if (focused) {  // An element that is moved within its document loses the focus.
                input.focus();
            }

            for (const [name, value] of Object.entries({
                role: 'combobox', autocomplete: 'off', 'aria-autocomplete': 'list',
                'aria-expanded': 'false', 'aria-controls': id,
            })) {
                input.setAttribute(name, value);
            }
            input.addEventListener('input', () => this.later());
            input.addEventListener('keydown', event => this.key(event));
            input.addEventListener('blur', () => this.close());
            input.addEventListener('click', () => this.list.hidden && this.ask());
            this.list.addEventListener('mousedown', event => event.preventDefault());
            this.list.addEventListener('click', event => {
                const option = event.target.closest('[role=option]');
                if (option) {
                    this.take(this.options.indexOf(option));
                }
            });
        }

        word(name, value) {
            return (this.input.dataset[`autocomplete${name}`] || '').replace('%s', value);
        }

        /* What was asked for another text is not answered any more: it would open the list again, or take from
           under somebody's finger what he is about to choose. */
        forget() {
            clearTimeout(this.timer);
            if (this.asking) {
                this.asking.abort();
            }
        }

        later() {
            this.forget();
            this.chosen.hidden = true;
            this.timer = setTimeout(() => this.ask(), WAIT);
        }

        async ask() {
            this.forget();
            const asking = this.asking = new AbortController();
            const url = new URL(this.input.dataset.autocompleteUrl, location.href);
            url.searchParams.set('term', this.input.value);
            try {
                const answer = await fetch(url, {
                    credentials: 'same-origin', redirect: 'error', signal: asking.signal,
                    headers: {Accept: 'application/json'},
                });
                if (!answer.ok) {
                    throw new Error(answer.status);
                }
                this.show(await answer.json());
            } catch (error) {
                if (error.name !== 'AbortError') {
                    this.close();
                    this.tell(this.word('Failed'));
                }
            }
        }

        show({results, more, note}) {
            if (document.activeElement !== this.input) {
                return;
            }
            const kept = this.active < 0 ? null : this.options[this.active].dataset.value;
            this.options = results.map(({id, text}, at) => {
                const option = document.createElement('li');
                option.id = `${this.list.id}-${at}`;
                option.setAttribute('role', 'option');
                option.setAttribute('aria-selected', 'false');
                option.dataset.value = id;
                option.textContent = text;
                return option;
            });
            this.list.replaceChildren(...this.options);
            const found = this.options.length;
            this.open(found > 0);
            this.move(this.options.findIndex(option => option.dataset.value === kept));
            this.tell([found ? '' : this.word('None'), more ? this.word('More') : '', note].filter(Boolean).join(' '));
            this.said.textContent = found ? this.word(found === 1 ? 'One' : 'Many', found) : this.note.textContent;
        }

        tell(text) {
            this.note.textContent = text;
            this.note.hidden = !text;
        }

        open(open) {
            this.list.hidden = !open;
            this.input.setAttribute('aria-expanded', String(open));
        }

        close() {
            this.forget();
            this.open(false);
            this.move(-1);
        }

        move(to) {
            this.active = to;
            this.options.forEach((option, at) => option.setAttribute('aria-selected', String(at === to)));
            if (to < 0) {
                this.input.removeAttribute('aria-activedescendant');
            } else {
                this.input.setAttribute('aria-activedescendant', this.options[to].id);
                this.options[to].scrollIntoView({block: 'nearest'});
            }
        }

        take(at) {
            this.input.value = this.options[at].dataset.value;
            this.chosen.textContent = this.options[at].textContent;
            this.chosen.hidden = this.chosen.textContent === this.input.value;
            this.said.textContent = this.chosen.textContent;
            this.tell('');
            this.close();
            this.input.dispatchEvent(new Event('change', {bubbles: true}));
        }

        key(event) {
            const open = !this.list.hidden, last = this.options.length - 1;
            if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
                event.preventDefault();
                if (!open) {
                    this.ask();
                } else if (event.key === 'ArrowDown') {
                    this.move(this.active < last ? this.active + 1 : 0);
                } else {
                    this.move(this.active > 0 ? this.active - 1 : last);
                }
            } else if (event.key === 'Enter' && open && this.active >= 0) {
                event.preventDefault();
                this.take(this.active);
            } else if (event.key === 'Escape' && open) {
                event.preventDefault();
                this.close();
            } else if (event.key === 'Tab' && open && this.active >= 0) {
                this.take(this.active);
            }
        }
    }

    const begin = root => {
        for (const input of root.querySelectorAll('input[data-autocomplete-url]')) {
            if (input.dataset.autocompleteUrl && input.getAttribute('role') !== 'combobox') {
                new Combobox(input);
            }
        }
    };
    document.addEventListener('integrity:fragment', event => begin(event.target));
    begin(document);
}
