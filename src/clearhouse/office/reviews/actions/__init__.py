"""Everything that is done to a review; each verb decides by a pure rule, then writes it down."""
