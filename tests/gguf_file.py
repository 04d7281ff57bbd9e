"""A small Llama of transformers as a GGUF file, for servers that are built on llama.cpp.

llama.cpp merges the neighbours that make the piece of the highest score, transformers those whose
merge was learned first. The tests' tokenizer numbers its pieces as its merges made them and has no
pre-tokenizer, so a piece's number, negated, is the score that leads to the same tokens.
"""

import gguf
from transformers import AutoModelForCausalLM, AutoTokenizer


def write_gguf(folder, file):
    """Write the float32 weights and the tokenizer of a saved Llama."""
    model = AutoModelForCausalLM.from_pretrained(folder)
    shape = model.config
    writer = gguf.GGUFWriter(file, "llama")
    writer.add_context_length(shape.max_position_embeddings)
    writer.add_embedding_length(shape.hidden_size)
    writer.add_block_count(shape.num_hidden_layers)
    writer.add_feed_forward_length(shape.intermediate_size)
    writer.add_head_count(shape.num_attention_heads)
    writer.add_head_count_kv(shape.num_key_value_heads)
    writer.add_key_length(shape.head_dim)
    writer.add_value_length(shape.head_dim)
    writer.add_layer_norm_rms_eps(shape.rms_norm_eps)
    writer.add_rope_dimension_count(shape.head_dim)
    writer.add_rope_freq_base(shape.rope_parameters["rope_theta"])
    writer.add_file_type(gguf.LlamaFileType.ALL_F32)
    add_tokenizer(writer, AutoTokenizer.from_pretrained(folder))
    names = gguf.get_tensor_name_map(gguf.MODEL_ARCH.LLAMA, shape.num_hidden_layers)
    heads = {"q_proj": shape.num_attention_heads, "k_proj": shape.num_key_value_heads}
    for name, tensor in model.state_dict().items():
        weight, part = tensor.float().numpy(), name.split(".")[-2]
        if part in heads:
            weight = by_pairs(weight, heads[part])
        writer.add_tensor(names.get_name(name, (".weight",)), weight)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return file


def add_tokenizer(writer, tokenizer):
    kinds = {tokenizer.unk_token: gguf.TokenType.UNKNOWN}
    kinds |= {token: gguf.TokenType.CONTROL for token in (tokenizer.bos_token, tokenizer.eos_token)}
    kinds |= {f"<0x{byte:02X}>": gguf.TokenType.BYTE for byte in range(256)}
    pieces = tokenizer.convert_ids_to_tokens(range(len(tokenizer)))
    writer.add_tokenizer_model("llama")
    writer.add_token_list(pieces)
    writer.add_token_scores([-float(place) for place in range(len(pieces))])
    writer.add_token_types([kinds.get(piece, gguf.TokenType.NORMAL) for piece in pieces])
    writer.add_bos_token_id(tokenizer.bos_token_id)
    writer.add_eos_token_id(tokenizer.eos_token_id)
    writer.add_unk_token_id(tokenizer.unk_token_id)
    writer.add_add_bos_token(True)
    writer.add_add_space_prefix(True)
    writer.add_chat_template(tokenizer.chat_template)


def by_pairs(weight, heads):
    """Rotary positions turn a head's two halves in transformers, neighbours in llama.cpp."""
    return weight.reshape(heads, 2, -1, weight.shape[1]).swapaxes(1, 2).reshape(weight.shape)
