# A model that answers rows over HTTP: docs/serving.md says how it is built and run.

FROM python:3.11-slim AS build
# An index that has torch's builds for CPUs makes the image gigabytes smaller: --build-arg
ARG PIP_EXTRA_INDEX_URL=""
WORKDIR /src
RUN python -m venv /venv
ENV PATH="/venv/bin:$PATH"
COPY constraints.txt pyproject.toml README.md ./
COPY promptkit promptkit
COPY templates templates
COPY evals evals
RUN pip install --no-cache-dir -c constraints.txt ".[serve]"

FROM python:3.11-slim
COPY --from=build /venv /venv
RUN useradd --no-log-init --create-home --uid 10001 served
# The model is there already: nothing is asked for on the network
ENV PATH="/venv/bin:$PATH" \
    HF_HUB_OFFLINE=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
# By number, so that an orchestrator sees that it is not root
USER 10001:10001
WORKDIR /home/served
# A folder that `promptkit tune` saved
VOLUME ["/model"]
EXPOSE 8000
# Whether the process is well; whether it takes rows yet is /readyz. An orchestrator asks both by itself.
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 \
    CMD ["python", "-c", "from urllib.request import urlopen; urlopen('http://127.0.0.1:8000/healthz', timeout=4)"]
# Lists and no shell: SIGTERM reaches the server itself, which then answers what it accepted
ENTRYPOINT ["promptkit", "serve", "--host", "0.0.0.0", "--port", "8000"]
CMD ["--model", "/model"]
