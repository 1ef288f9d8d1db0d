"""Two databases that are as odd as real ones: names, types, keys, references."""

COMMON = """
CREATE TABLE stores (id integer PRIMARY KEY, code varchar(20) UNIQUE);
CREATE TABLE categories (
    id integer PRIMARY KEY,
    store_id integer NOT NULL REFERENCES stores (id) ON DELETE CASCADE,
    parent_id integer REFERENCES categories (id) ON DELETE SET NULL,
    UNIQUE (store_id, id));
CREATE TABLE products (
    id integer PRIMARY KEY,
    store_id integer NOT NULL REFERENCES stores (id) ON DELETE RESTRICT,
    category_id integer,
    price numeric(10, 2),
    made_at timestamp,
    FOREIGN KEY (store_id, category_id) REFERENCES categories (store_id, id) ON DELETE CASCADE);
CREATE TABLE product_variants (id integer PRIMARY KEY, product_id integer REFERENCES products (id), sku text);
CREATE TABLE lines (
    order_no integer, line_no integer, product_id integer REFERENCES products (id),
    PRIMARY KEY (order_no, line_no));
CREATE TABLE notes (
    id integer PRIMARY KEY, order_no integer, line_no integer, store_code varchar(20) REFERENCES stores (code),
    FOREIGN KEY (order_no, line_no) REFERENCES lines (order_no, line_no) ON DELETE SET NULL);
CREATE TABLE transfers (
    id integer PRIMARY KEY, from_store integer REFERENCES stores (id),
    to_store integer REFERENCES stores (id), store text);
CREATE TABLE profile (store_id integer UNIQUE REFERENCES stores (id), about text);
CREATE TABLE log (what text, store_id integer);
CREATE TABLE nullkey (code text UNIQUE, v integer);
CREATE TABLE refers (id integer PRIMARY KEY, code text REFERENCES nullkey (code));
CREATE TABLE "class" (
    id integer PRIMARY KEY, "class" text, "pk" integer, "save" text, "models" text, "id_" integer,
    "a__b" integer, "1st" integer, "größe" text, "per%cent" text, "quo""te" text, "_" integer, "__" integer,
    "objects" integer, "storeId" integer, "Odd Name." text);
CREATE TABLE "Select ""All"" rows" (id integer PRIMARY KEY, parent integer REFERENCES "Select ""All"" rows" (id));
CREATE TABLE "import" (id integer PRIMARY KEY);
CREATE TABLE exceptions (id integer PRIMARY KEY);
CREATE TABLE "2020" (id integer PRIMARY KEY);
CREATE TABLE computed (id integer PRIMARY KEY, n integer, twice integer GENERATED ALWAYS AS (n * 2) STORED,
    given text NOT NULL DEFAULT '50%');
CREATE INDEX a_very_long_name_of_an_index_that_django_would_not_give ON products (store_id, category_id);
CREATE INDEX stores_part ON stores (code) WHERE code IS NOT NULL;
CREATE INDEX stores_lower ON stores (lower(code));
CREATE UNIQUE INDEX one_root ON categories (store_id) WHERE parent_id IS NULL;

INSERT INTO stores VALUES (1, 'a'), (2, 'b');
INSERT INTO categories VALUES (1, 1, NULL), (2, 1, 1), (3, 2, NULL);
INSERT INTO products VALUES (1, 1, 2, 9.50, '2020-02-02 10:00:00'), (2, 2, NULL, NULL, NULL);
INSERT INTO product_variants VALUES (1, 1, 'x'), (2, 1, 'y');
INSERT INTO lines VALUES (1, 1, 1), (1, 2, 2);
INSERT INTO notes VALUES (1, 1, 2, 'a'), (2, NULL, 2, NULL);
INSERT INTO transfers VALUES (1, 1, 2, 'by hand');
INSERT INTO profile VALUES (1, 'the first'), (NULL, 'nobody');
INSERT INTO log VALUES ('one', 1), ('one', 1), (NULL, NULL);
INSERT INTO nullkey VALUES ('k', 1), (NULL, 2);
INSERT INTO refers VALUES (1, 'k'), (2, NULL);
INSERT INTO "class" (id, "class", "per%cent", "quo""te") VALUES (1, 'c', 'p', 'q');
INSERT INTO "Select ""All"" rows" VALUES (1, NULL), (2, 1);
INSERT INTO computed (id, n) VALUES (1, 4);
"""

ONLY = {
    "sqlite": """
CREATE TABLE loose (
    id INTEGER PRIMARY KEY, good DATETIME, bad DATETIME, day DATE, wrong DATE, amount DECIMAL(4, 2),
    much DECIMAL(4, 2), doc JSON, broken JSON, whatever, u UUID, flag BOOLEAN, big INT8, name NVARCHAR(40));
INSERT INTO loose VALUES
    (1, '2020-01-01 10:00:00', 1577872800, '2020-02-29', '2020-02-30', 1.25, 123456, '{"a": 1}', '{a', 1, 'x', 1, 5, 'n'),
    (2, '2020-01-01T10:00:00Z', '2020-01-01', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
CREATE TABLE keyed (a TEXT, b TEXT, v, PRIMARY KEY (a, b)) WITHOUT ROWID;
INSERT INTO keyed VALUES ('a', 'b', 1);
CREATE VIEW store_codes AS SELECT id, code FROM stores;
""",
    "postgresql": """
CREATE SCHEMA auth;
CREATE SCHEMA "Odd.Schema";
CREATE TYPE mood AS ENUM ('sad', 'it''s "ok"', 'happy');
CREATE DOMAIN email AS text CHECK (value LIKE '%@%');
CREATE TABLE auth.users (id uuid PRIMARY KEY, email email UNIQUE);
CREATE TABLE users (id uuid PRIMARY KEY REFERENCES auth.users (id) ON DELETE CASCADE, nick text NOT NULL UNIQUE);
CREATE TABLE "Odd.Schema".stores (id bigserial PRIMARY KEY, store_id integer REFERENCES public.stores (id));
CREATE TABLE types (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, m mood, ms mood[], e email, nn numeric, neg numeric(4),
    ints int[], texts varchar(20)[], j json, jb jsonb, r int4range, tr tstzrange, ts timestamp(3), ip inet,
    c cidr, mac macaddr, b bytea, iv interval(2), t time, tz timetz, bits bit varying(5), p point, money money,
    ch char(3), vc varchar, u uuid, js json[], seq bigint GENERATED BY DEFAULT AS IDENTITY,
    txt text GENERATED ALWAYS AS ('50%'::text || 'x'::text) STORED);
CREATE TABLE measured (
    id integer, at date, store_id integer REFERENCES stores (id), PRIMARY KEY (id, at)) PARTITION BY RANGE (at);
CREATE TABLE measured_2020 PARTITION OF measured FOR VALUES FROM ('2020-01-01') TO ('2021-01-01');
CREATE TABLE no_columns ();
INSERT INTO auth.users VALUES ('00000000-0000-0000-0000-000000000001', 'a@b');
INSERT INTO users VALUES ('00000000-0000-0000-0000-000000000001', 'nick');
INSERT INTO "Odd.Schema".stores (store_id) VALUES (1);
INSERT INTO measured VALUES (1, '2020-02-02', 1);
INSERT INTO types (m, ms, e, nn, neg, ints, texts, j, jb, r, tr, ts, ip, c, mac, b, iv, t, tz, bits, p, money, ch,
    vc, u, js) VALUES ('sad', '{happy,sad}', 'a@b', 123.456789, 7, '{1,2}', '{a,b}', '"5"', '"5"', '[1,3)',
    '[2020-01-01,2021-01-01)', '2020-01-01', '127.0.0.1', '10.0.0.0/8', '08:00:2b:01:02:03', 'abc', '1 day',
    '12:00', '12:00+02', '101', '(1,2)', 5, 'ab', 'v', '00000000-0000-0000-0000-000000000001', '{1}');
""",
}
