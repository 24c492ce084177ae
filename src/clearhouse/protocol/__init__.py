"""Rules of the field: pure decisions of coordinated vulnerability disclosure.  No I/O, no clock.

``machine``            a transition table that can be asked what is possible
``report_management``  what one participant has done with a report
``embargo``            what all participants of a case have agreed to keep quiet until when
``case_state``         what has happened: aware, fix ready, deployed, public, exploited, attacked
``disclosure_clock``   when a case becomes public, and why then
``tlp``                who may be told what (Traffic Light Protocol 2.0)
"""
