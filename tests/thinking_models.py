"""Tiny chat models whose templates know of thoughts."""

from promptkit.backends.hf import load_tokenizer
from tests.tiny import save_causal

#: As Qwen3 has it: told not to think it writes an empty block, told to think it writes none.
SWITCHED = (
    "{% for m in messages %}<|im_start|>{{ m['role'] }}\n{{ m['content'] | trim }}<|im_end|>\n"
    "{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n"
    "{% if enable_thinking is defined and not enable_thinking %}<think>\n\n</think>\n\n{% endif %}"
    "{% endif %}"
)
#: As DeepSeek-R1 has it: a block is opened whatever it is told.
ALWAYS = (
    "{% for m in messages %}<|im_start|>{{ m['role'] }}\n{{ m['content'] | trim }}<|im_end|>\n"
    "{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n<think>\n{% endif %}"
)


def saved(template, folder):
    save_causal("qwen3", folder)
    tokenizer = load_tokenizer(folder)
    tokenizer.chat_template = template
    tokenizer.save_pretrained(folder)
    return str(folder)
