# Two steps: the first makes the wheel with everything that pages need, the second holds what runs and nothing else.
FROM python:3.13-slim AS made
WORKDIR /gatebell
COPY . .
RUN scripts/setup \
 && .venv/bin/python -m pip wheel --no-deps --no-build-isolation --wheel-dir /made . \
 && cp requirements.lock /made/

FROM python:3.13-slim
LABEL org.opencontainers.image.title="Gatebell" org.opencontainers.image.licenses="Apache-2.0"
RUN --mount=type=bind,from=made,source=/made,target=/made \
    pip install --no-cache-dir --no-deps --require-hashes --requirement /made/requirements.lock \
 && pip install --no-cache-dir --no-deps /made/*.whl \
 && useradd --system --uid 10001 --home-dir /data --shell /usr/sbin/nologin gatebell \
 && install --directory --owner gatebell --group gatebell --mode 0700 /data

ENV GATEBELL_DATA_DIR=/data HOST=0.0.0.0 PORT=8080 PYTHONUNBUFFERED=1
USER gatebell
WORKDIR /data
VOLUME /data
EXPOSE 8080
HEALTHCHECK --interval=15s --timeout=3s --start-period=20s CMD ["python", "-c", \
  "import os, urllib.request; urllib.request.urlopen(f'http://127.0.0.1:{os.environ[\"PORT\"]}/healthz', timeout=2)"]
ENTRYPOINT ["gatebell"]
CMD ["serve"]
