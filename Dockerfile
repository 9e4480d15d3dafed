# Two stages: the first builds the one binary, the second is what runs.
#
#   docker build -t chronode .
#   docker run -p 127.0.0.1:4400:4400 -v chronode-data:/data -v "$PWD/jobs:/jobs:ro" chronode
#
# Commands run inside this container and end with it; `--drain` gives them time when it is stopped. Give `docker stop`
# at least as long: `docker stop --time 70`.
FROM rust:1.95-slim-bookworm AS build
RUN apt-get update && apt-get install -y --no-install-recommends gcc libc6-dev && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY Cargo.toml Cargo.lock build.rs ./
COPY benches benches
COPY src src
COPY web web
RUN cargo build --release --locked --bin chronode

FROM debian:bookworm-slim
# tar, gzip and unzip unpack what jobs fetch; ca-certificates lets them fetch it over https.
RUN apt-get update \
 && apt-get install -y --no-install-recommends ca-certificates unzip \
 && rm -rf /var/lib/apt/lists/*
COPY --from=build /src/target/release/chronode /usr/local/bin/chronode
VOLUME /data
EXPOSE 4400
# The address is the container's own; which addresses of the host lead to it is decided by `-p`. Other containers and
# the host reach it in any case, so it needs credentials: mount a file that `chronode credential` made and name it with
# CHRONODE_CREDENTIALS. CHRONODE_INSECURE=true does without; then whoever reaches it may run any command here.
ENV CHRONODE_DATA=/data \
    CHRONODE_HTTP_ADDRESS=0.0.0.0 \
    CHRONODE_DRAIN=60
STOPSIGNAL SIGTERM
ENTRYPOINT ["/usr/local/bin/chronode"]
CMD ["serve", "--jobs", "/jobs"]
