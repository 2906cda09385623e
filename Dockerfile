# The service in one image: the web client is built first, then the program with it inside.
FROM python:3.13-slim AS build
RUN apt-get update && apt-get install -y --no-install-recommends make && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY . .
RUN make web && .venv/bin/pip wheel --no-deps -w /wheels . && .venv/bin/pip wheel -r requirements/run.lock -w /wheels \
    && .venv/bin/pip wheel "psycopg[binary]>=3.3,<3.4" -w /wheels

FROM python:3.13-slim
RUN useradd --create-home mobility
COPY --from=build /wheels /wheels
RUN pip install --no-index --find-links /wheels mobility "psycopg[binary]" && rm -rf /wheels
USER mobility
WORKDIR /home/mobility
ENV MOBILITY_HOME=/home/mobility/data MOBILITY_HOST=0.0.0.0
VOLUME /home/mobility/data
EXPOSE 8400
HEALTHCHECK --start-period=120s CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8400/livez', timeout=3)"]
CMD ["mobility", "demo"]
