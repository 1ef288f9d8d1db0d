"""Where targets stand and what to do next: the overview of all, and the page of one."""
