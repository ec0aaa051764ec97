# The server as an image. The first stage compiles better-sqlite3 and emits the program; the second holds what runs, and
# nothing else.

FROM node:24-bookworm-slim AS build
RUN apt-get update && apt-get install -y --no-install-recommends g++ make python3 && rm -rf /var/lib/apt/lists/*
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
# The headers of this very Node are in the image, so nothing but packages is downloaded.
ENV npm_config_build_from_source=true npm_config_nodedir=/usr/local
RUN npm ci --ignore-scripts && npm rebuild better-sqlite3
COPY tsconfig.json ./
COPY scripts/code-caches.mjs scripts/emit.mjs scripts/emitted.mjs scripts/run-bundle.cjs scripts/sluice.mjs scripts/sqlite-binding.cjs scripts/
COPY migrations migrations
COPY src src
RUN node scripts/emit.mjs && npm prune --omit=dev

FROM node:24-bookworm-slim
ENV NODE_ENV=production
WORKDIR /app
COPY --from=build /app/node_modules node_modules
COPY package.json LICENSE ./
COPY migrations migrations
COPY scripts/emitted.mjs scripts/run-bundle.cjs scripts/sluice.mjs scripts/
COPY --from=build /app/dist dist
RUN ln -s /app/scripts/sluice.mjs /usr/local/bin/sluice && install -d -o node -g node -m 700 /data
USER node
VOLUME /data
# Docker kills what has not stopped after 10 s; runs that are given back before go on at the next start.
ENV SLUICE_HOST=0.0.0.0 SLUICE_DATA_DIR=/data SLUICE_DRAIN_SECONDS=8
EXPOSE 9657
HEALTHCHECK --interval=30s --timeout=5s --start-period=10s \
  CMD ["node", "scripts/sluice.mjs", "healthcheck"]
CMD ["node", "scripts/sluice.mjs", "serve"]
