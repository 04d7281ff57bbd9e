"""Templates: from a row to a structured prompt and its candidates."""

from promptkit.prompts.label_names import plain_words
from promptkit.prompts.library import find_template, template_paths
from promptkit.prompts.template import Template

__all__ = ["Template", "find_template", "plain_words", "template_paths"]
