"""One study against another: what differs, their scores at equal budgets, and whether the later one is worse.

`compared` computes, `comparison_document` makes it JSON; the words are in `sweep.results.wording.comparison`.
"""
