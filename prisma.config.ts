import { defineConfig } from 'prisma/config';

// The url is only for Prisma's own commands (`prisma migrate deploy`); the service reads its
// own configuration in src/config.ts and connects through the driver adapter.
export default defineConfig({
  schema: 'prisma/schema.prisma',
  migrations: { path: 'prisma/migrations' },
  datasource: { url: process.env.DATABASE_URL ?? 'postgresql://unset' },
});
