"""Small causal models of many families, requests for them, and the plain computation."""

import random

import torch
import transformers as tf

from promptkit.backends.shared_passes import attention_of
from promptkit.backends.tokens import Request
from tests.tiny import causal_model

SHAPE = {
    "vocab_size": 100, "hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 3,
    "num_attention_heads": 4, "num_key_value_heads": 2, "max_position_embeddings": 512,
}  # fmt: skip
#: Families with something of their own: windows, soft caps, sinks, parallel layers.
MORE = {
    "gemma2": lambda: tf.Gemma2Config(
        **SHAPE, head_dim=8, sliding_window=16, query_pre_attn_scalar=8,
        attn_logit_softcapping=5.0, final_logit_softcapping=10.0),
    "gemma3": lambda: tf.Gemma3TextConfig(
        **SHAPE, head_dim=8, sliding_window=16, query_pre_attn_scalar=8),
    "gemma3_pictures": lambda: tf.Gemma3Config(  # which it reads as well
        text_config={**SHAPE, "head_dim": 8, "sliding_window": 16, "query_pre_attn_scalar": 8},
        vision_config={"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 1,
                       "num_attention_heads": 2, "image_size": 28, "patch_size": 14},
        mm_tokens_per_image=4, image_token_index=97, boi_token_index=98, eoi_token_index=99),
    "qwen2_5_pictures": lambda: tf.Qwen2_5_VLConfig(
        text_config={**SHAPE, "rope_parameters": {
            "rope_type": "default", "rope_theta": 10000.0, "mrope_section": [1, 1, 2]}},
        vision_config={"depth": 1, "hidden_size": 32, "intermediate_size": 64, "num_heads": 2,
                       "out_hidden_size": 32}),
    "mistral": lambda: tf.MistralConfig(**SHAPE, sliding_window=16),
    "phi3": lambda: tf.Phi3Config(**SHAPE, pad_token_id=0, eos_token_id=1),
    "qwen2": lambda: tf.Qwen2Config(**SHAPE),
    "gpt_oss": lambda: tf.GptOssConfig(
        **SHAPE, head_dim=8, num_local_experts=4, num_experts_per_tok=2, eos_token_id=1,
        sliding_window=16, pad_token_id=0),
    "gpt_neox": lambda: tf.GPTNeoXConfig(
        vocab_size=100, hidden_size=32, intermediate_size=64, num_hidden_layers=3,
        num_attention_heads=4, max_position_embeddings=512),
}  # fmt: skip
#: Families whose attention is their own.
REFUSED = {
    "bloom": lambda: tf.BloomConfig(vocab_size=100, hidden_size=32, n_layer=2, n_head=4),
    "mpt": lambda: tf.MptConfig(vocab_size=100, d_model=32, n_heads=4, n_layers=2),
    "gptj": lambda: tf.GPTJConfig(
        vocab_size=100, n_embd=32, n_layer=2, n_head=4, rotary_dim=4, n_positions=512),
    "codegen": lambda: tf.CodeGenConfig(
        vocab_size=100, n_embd=32, n_layer=2, n_head=4, rotary_dim=4, n_positions=512),
    "falcon_alibi": lambda: tf.FalconConfig(
        vocab_size=100, hidden_size=32, num_hidden_layers=2, num_attention_heads=4, alibi=True,
        new_decoder_architecture=False),
    "gpt_neo": lambda: tf.GPTNeoConfig(
        vocab_size=100, hidden_size=32, num_layers=2, num_heads=4, window_size=16,
        attention_types=[[["global", "local"], 1]], max_position_embeddings=512),
}  # fmt: skip
#: Families whose state is no keys and values.
RECURRENT = {
    "mamba": lambda: tf.MambaConfig(vocab_size=100, hidden_size=32, num_hidden_layers=2),
}
FAMILIES = ["llama", "qwen3", "gemma", "gpt2", "opt", *MORE]


def built(family):
    configs = {**MORE, **REFUSED, **RECURRENT}
    if family not in configs:
        return causal_model(family, 100)
    torch.manual_seed(0)
    config = configs[family]()
    pictures = config.get_text_config() is not config
    loader = tf.AutoModelForImageTextToText if pictures else tf.AutoModelForCausalLM
    model = loader.from_config(config)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if parameter.dim() > 1 or name.endswith("sinks"):
                parameter.normal_(0.0, 0.3)
    return model.eval()


def asked(n, shared, seed=0, longest=40):
    draw = random.Random(seed)

    def ids(size, most=100):
        return tuple(draw.randrange(most) for _ in range(size))

    beginning = ids(shared)
    # few different tokens: answers begin alike, and some are the beginning of others
    answers = tuple(dict.fromkeys(ids(draw.randint(1, 4), 6) for _ in range(8)))
    return [Request(beginning + ids(draw.randint(1, longest)), answers) for _ in range(n)]


@torch.inference_mode()
def plainly(model, requests):
    """One sequence at a time, with eager attention: what every score must equal."""
    found = []
    with attention_of(model, "eager"):
        for request in requests:
            own = []
            for answer in request.answers:
                ids = torch.tensor([(*request.context, *answer)])
                log_p = model(input_ids=ids, use_cache=False).logits[0].float().log_softmax(-1)
                start = len(request.context) - 1
                own.append(sum(float(log_p[start + i, t]) for i, t in enumerate(answer)))
            found.append(own)
    return found


def gap(one, other):
    return max(
        abs(a - b) for x, y in zip(one, other, strict=True) for a, b in zip(x, y, strict=True)
    )
