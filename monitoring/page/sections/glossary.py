"""What the words of the page mean, a sentence each."""

from __future__ import annotations

from monitoring.page.markup import Markup, tag

WORDS = {
    "Estimated": "What the metric should be, worked out from the model's own scores while labels are still to come; "
    "it cannot see that the same rows now have other labels.",
    "Realized": "What the metric is, worked out from the labels that have come.",
    "Band": "Three sampling errors to each side: within it, a period of this size may be off by chance alone.",
    "Threshold": "Where normal ends, as the reference and the size of the period say; beyond it is an alert.",
    "Reference": "The rows that the model is compared with, usually those that it was tested on before its release.",
    "Contribution": "How much of the metric's change the changed mix of one feature explains, in the metric's unit.",
    "Correlation": "How closely a feature's drift follows the change of the metric over the periods: "
    "1 is in step, 0 not at all.",
    "PSI": "The population stability index, how far shares have moved from the reference's: 0 is not at all, "
    "and its limit is one for a period of this size.",
    "Concept drift": "Realized minus estimated: what changed in the meaning of the features, not in their mix.",
    "Unknown": "There is too little to judge by, which is neither good nor bad news.",
}


def render() -> Markup:
    """The foot of the page."""
    entries = [tag("div", tag("dt", word), tag("dd", meaning)) for word, meaning in WORDS.items()]
    heading = tag("h2", "What the words mean", id="words")
    return tag("footer", heading, tag("dl", *entries, class_="words"))
