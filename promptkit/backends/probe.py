"""Short requests on which a fast way is compared with the plain one when a model is loaded."""

from __future__ import annotations

from promptkit.backends.tokens import Request

#: Largest difference of a log-probability from eager attention that is rounding: float32 gives a
#: few millionths.
SAME = 1e-4
#: The same of a model in half precision, of which bfloat16 gives a few hundredths.
SAME_IN_HALF = 0.5
#: What a family that is built otherwise may raise when it is tried.
CANNOT = (AttributeError, LookupError, RuntimeError, TypeError, ValueError)
#: Prompts that are tried first: a shared beginning, a tree of labels, rows of different length.
PROBE = (
    Request((13, 24, 35, 46, 57, 68), ((21,), (21, 9), (32, 43, 65), (32, 54, 76))),
    Request((13, 24, 35, 79, 68, 57, 46, 35), ((21,), (32, 43), (43, 5))),
)


def folded(request: Request, vocabulary: int) -> Request:
    """The same with ids that the vocabulary has."""
    answers = tuple(tuple(i % vocabulary for i in answer) for answer in request.answers)
    return Request(tuple(i % vocabulary for i in request.context), answers)
