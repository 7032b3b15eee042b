using SalesTasks.Database;
using SalesTasks.Tests.TestBase;

namespace SalesTasks.Tests.Roles;

/// <summary><c>sql/roles/matrix.sql</c> against a database that was given its roles: nothing undecided, and every decision tried.</summary>
public sealed class RoleMatrixTests(RoledDatabase roled) : IClassFixture<RoledDatabase>
{
    private TestDatabase Database => roled.Database;

    [Fact]
    public async Task EveryObject_OfTheSchema_IsDecidedInTheMatrix()
    {
        var undecided = await Database.QueryAsync(
            $"""
            SELECT o.name
            FROM (
              SELECT c.relname AS name FROM pg_class c
              WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm', 'f') AND NOT c.relispartition
              UNION ALL
              SELECT p.proname FROM pg_proc p WHERE p.pronamespace = 'public'::regnamespace
              UNION ALL
              SELECT t.typname FROM pg_type t WHERE t.typnamespace = 'public'::regnamespace AND t.typtype IN ('e', 'd')
            ) o
            WHERE o.name NOT IN (SELECT object FROM ({Sql.Load("roles/matrix")}) m)
            ORDER BY 1
            """,
            row => row.GetString(0));

        Assert.True(undecided.Count == 0, $"Decide in sql/roles/matrix.sql who may do what with: {string.Join(", ", undecided)}");
    }

    [Fact]
    public async Task EveryDecision_OfTheMatrix_IsAboutAnObjectAndMadeOnce()
    {
        var idle = await Database.QueryAsync(
            $"""
            SELECT m.object FROM ({Sql.Load("roles/matrix")}) m
            WHERE to_regclass(m.object) IS NULL AND NOT EXISTS (SELECT FROM pg_proc WHERE proname = m.object)
              AND NOT EXISTS (SELECT FROM pg_type WHERE typname = m.object)
            UNION ALL
            SELECT m.object FROM ({Sql.Load("roles/matrix")}) m GROUP BY m.object HAVING count(*) > 1
            """,
            row => row.GetString(0));

        Assert.Empty(idle);
    }

    /// <summary>
    /// Every table, partition, view, column, sequence and function × every verb, done for real as each login and undone: what is refused is what the
    /// matrix does not give. (A view that cannot be written to at all, and whatever fails for another reason than rights, counts as neither.)
    /// </summary>
    [Theory]
    [InlineData("worker")]
    [InlineData("reader")]
    [InlineData("analyst")]
    [InlineData("analyst_pii")]
    [InlineData("rep")]
    public async Task EveryVerb_OnEveryObject_IsAllowedAsTheMatrixSays(string kind)
    {
        var wrong = await Database.QueryAsync(
            $$"""
            DROP TABLE IF EXISTS pg_temp.outcome;
            CREATE TEMP TABLE matrix AS {{Sql.Load("roles/matrix")}};
            CREATE TEMP TABLE tries AS
            WITH relation AS (
              SELECT c.oid, c.relkind, c.relispartition, coalesce(parent.relname, c.relname) AS object, format('%I', c.relname) AS name
              FROM pg_class c
              LEFT JOIN pg_inherits i ON i.inhrelid = c.oid
              LEFT JOIN pg_class parent ON parent.oid = i.inhparent
              WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm') AND ('{{kind}}' <> 'reader' OR c.relkind <> 'v')
            ), decided AS (
              SELECT r.*, m.personal, m.rep_updates, CASE
                WHEN r.relispartition THEN CASE WHEN '{{kind}}' IN ('worker') THEN 'S' ELSE '-' END
                WHEN '{{kind}}' = 'reader' THEN CASE WHEN m.worker LIKE 'S%' THEN 'S' ELSE '-' END
                WHEN '{{kind}}' = 'worker' THEN m.worker WHEN '{{kind}}' = 'rep' THEN m.rep ELSE m.analyst END AS verbs
              FROM relation r JOIN matrix m ON m.object = r.object
            )
            SELECT format('SELECT %I FROM %s LIMIT 0', a.attname, d.name) AS statement,
              position('S' IN d.verbs) > 0 AND ('{{kind}}' <> 'analyst' OR a.attname <> ALL (string_to_array(d.personal, ','))) AS allowed
            FROM decided d JOIN pg_attribute a ON a.attrelid = d.oid AND a.attnum > 0 AND NOT a.attisdropped
            UNION ALL
            SELECT format('UPDATE %s SET %I = DEFAULT WHERE false', d.name, a.attname),
              position('U' IN d.verbs) > 0 OR ('{{kind}}' = 'rep' AND NOT d.relispartition AND a.attname = ANY (string_to_array(d.rep_updates, ',')))
            FROM decided d JOIN pg_attribute a ON a.attrelid = d.oid AND a.attnum > 0 AND NOT a.attisdropped
            UNION ALL
            SELECT format('INSERT INTO %s DEFAULT VALUES', d.name), position('I' IN d.verbs) > 0 FROM decided d
            UNION ALL
            SELECT format('DELETE FROM %s WHERE false', d.name), position('D' IN d.verbs) > 0 FROM decided d
            UNION ALL
            SELECT format('TRUNCATE %s', d.name), false FROM decided d WHERE d.relkind <> 'v'
            UNION ALL
            SELECT format('SELECT nextval(%L)', s.oid::regclass), '{{kind}}' = 'worker'
            FROM pg_class s WHERE s.relnamespace = 'public'::regnamespace AND s.relkind = 'S'
            UNION ALL
            SELECT format('SELECT setval(%L, 1)', s.oid::regclass), false
            FROM pg_class s WHERE s.relnamespace = 'public'::regnamespace AND s.relkind = 'S'
            UNION ALL
            SELECT format(CASE WHEN p.prorettype = 'trigger'::regtype THEN 'SELECT %I(%s)' ELSE 'SELECT * FROM %I(%s)' END, p.proname, (
                SELECT string_agg(format('NULL::%s', format_type(t, NULL)), ', ' ORDER BY n) FROM unnest(p.proargtypes) WITH ORDINALITY AS a (t, n))),
              m.worker LIKE 'XP%' OR ('{{kind}}' = 'worker' AND m.worker LIKE 'X%') OR ('{{kind}}' LIKE 'analyst%' AND m.analyst = 'X')
                OR ('{{kind}}' = 'analyst_pii' AND m.personal = 'X') OR ('{{kind}}' = 'rep' AND m.rep = 'X')
            FROM pg_proc p JOIN matrix m ON m.object = p.proname
            WHERE p.pronamespace = 'public'::regnamespace;
            CREATE TEMP TABLE outcome (statement text, allowed boolean, answer text);
            GRANT ALL ON tries, outcome TO PUBLIC;
            SET ROLE {{roled.Login(kind)}};
            DO $$
            DECLARE
              t record;
            BEGIN
              FOR t IN SELECT statement, allowed FROM tries LOOP
                BEGIN
                  EXECUTE t.statement;
                  RAISE SQLSTATE 'ZZ000';
                EXCEPTION
                  WHEN object_not_in_prerequisite_state OR wrong_object_type THEN INSERT INTO outcome VALUES (t.statement, t.allowed, 'impossible');
                  WHEN insufficient_privilege THEN INSERT INTO outcome VALUES (t.statement, t.allowed, 'denied');
                  WHEN OTHERS THEN INSERT INTO outcome VALUES (t.statement, t.allowed, CASE WHEN SQLERRM LIKE 'cannot update column%' THEN 'impossible' ELSE CASE SQLSTATE WHEN 'ZZ000' THEN 'done' ELSE SQLSTATE || ' ' || SQLERRM END END);
                END;
              END LOOP;
            END $$;
            RESET ROLE;
            DROP TABLE tries, matrix;
            SELECT concat(statement, ': ', answer, ' (', (SELECT count(*) FROM outcome), ' tried)') FROM outcome WHERE answer <> 'impossible' AND allowed = (answer = 'denied') LIMIT 20
            """,
            row => row.GetString(0));
        Assert.True(wrong.Count == 0, string.Join('\n', wrong));
    }

    /// <summary>A view runs with the reader's rights, and so do the functions that are inlined into it: what each needs is granted.</summary>
    [Theory]
    [InlineData("analyst")]
    [InlineData("rep")]
    [InlineData("worker")]
    public async Task EveryView_WhoseSelectIsGranted_CanBeRead(string kind)
    {
        var views = await Database.QueryAsync(
            $"""
            SELECT m.object FROM ({Sql.Load("roles/matrix")}) m JOIN pg_class c ON c.relname = m.object AND c.relkind IN ('v')
            WHERE position('S' IN m.{kind}) > 0 AND (m.personal = '' OR '{kind}' <> 'analyst')
            """,
            row => row.GetString(0));
        Assert.NotEmpty(views);
        foreach (var view in views)
        {
            var (_, refused) = await roled.TryAsync(roled.Login(kind), $"SELECT * FROM {view}");
            Assert.True(refused is null, $"{view}: {refused}");
        }
    }
}
