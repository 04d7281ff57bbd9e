"""Ways to serve a model. To add one: a file here, and a line in BACKENDS."""

from promptkit.protocols import Backend
from promptkit.registry import Registry

BACKENDS: Registry[Backend] = Registry(
    "backend",
    {
        "hf": "promptkit.backends.hf:HFBackend",
        "embedding": "promptkit.backends.embedding:EmbeddingBackend",
        "nli": "promptkit.backends.nli:NLIBackend",
        "vllm": "promptkit.backends.vllm:VLLMBackend",
        "openai": "promptkit.backends.openai:OpenAIBackend",
        "fake": "promptkit.backends.fake:FakeBackend",
    },
    seam=Backend,
)
