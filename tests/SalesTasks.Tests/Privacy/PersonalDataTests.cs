using SalesTasks.Database;
using SalesTasks.Privacy;
using SalesTasks.Tests.TestBase;

namespace SalesTasks.Tests.Privacy;

/// <summary>
/// The list of what is personal against the catalogue: a table or a column that may hold something about a person and that neither export nor
/// erasure knows of fails here, whoever adds it.
/// </summary>
public sealed class PersonalDataTests(TestDatabase database) : IClassFixture<TestDatabase>
{
    /// <summary>Columns that name a lead or a person wherever they stand.</summary>
    private static readonly string[] s_telling = ["lead_ext_id", "lead_id", "pipeline_id", "email", "phone", "first_name", "last_name"];

    /// <summary>Telling columns of tables without a person, and why.</summary>
    private static readonly string[] s_harmless = ["sales_reps.email", "routing_run_reps.email", "alert_situations.lead_ext_id", "adoption_rows.lead_ext_id"];

    [Fact]
    public async Task Tables_OfTheCatalogue_AreAllListedAsPersonalOrNot()
    {
        var tables = (await ColumnsAsync()).Select(c => c.Table).Distinct().ToList();

        var listed = PersonalData.Tables.Select(t => t.Name).Concat(PersonalData.Others.Keys).ToList();
        Assert.Equal(listed.Count, listed.Distinct().Count());
        // A new table belongs into PersonalData: with its statements where it can hold something about a person, with a reason where it cannot.
        Assert.Empty(tables.Except(listed));
        Assert.Empty(listed.Except(tables));
    }

    [Fact]
    public async Task PersonalTables_ColumnsThatHoldText_AreAllListed()
    {
        var columns = await ColumnsAsync();
        foreach (var table in PersonalData.Tables)
        {
            var texts = PersonalTable.Words(table.Texts);

            // A new column: how is it erased? Then it belongs into Texts, and into Kept where it holds nothing personal.
            Assert.Equal(
                $"{table.Name}: {string.Join(' ', columns.Where(c => c.Table == table.Name && c.HoldsText).Select(c => c.Column).Order(StringComparer.Ordinal))}",
                $"{table.Name}: {string.Join(' ', texts.Order(StringComparer.Ordinal))}");
            Assert.Empty(PersonalTable.Words(table.Kept).Except(texts));
        }
    }

    [Fact]
    public async Task OtherTables_Columns_NameNobody() => Assert.Empty(
        (await ColumnsAsync()).Where(c => PersonalData.Others.ContainsKey(c.Table) && s_telling.Contains(c.Column)).Select(c => $"{c.Table}.{c.Column}").Except(s_harmless));

    [Fact]
    public void Statements_OfEveryTable_AreThereAndUsed()
    {
        var exports = PersonalData.Tables.SelectMany(t => t.Exports).Select(s => "privacy/export/" + s).ToList();
        var erases = PersonalData.Tables.SelectMany(t => t.Erases).Select(s => "privacy/erase/" + s).ToList();

        Assert.Equal(exports.Order(StringComparer.Ordinal), Sql.All().Where(s => s.StartsWith("privacy/export/", StringComparison.Ordinal)));
        Assert.Equal(erases.Order(StringComparer.Ordinal), Sql.All().Where(s => s.StartsWith("privacy/erase/", StringComparison.Ordinal)));
        Assert.All(PersonalData.Tables.Where(t => t.Erasure is not Erasure.Kept && t.Name is not "stored_files"), t => Assert.NotEmpty(t.Erases));
        Assert.All(PersonalData.Tables.Where(t => t.Erasure is Erasure.Kept), t => Assert.Equal(PersonalTable.Words(t.Texts), PersonalTable.Words(t.Kept)));
    }

    private Task<List<(string Table, string Column, bool HoldsText)>> ColumnsAsync() => database.QueryAsync(
        """
        SELECT c.relname, a.attname, coalesce(e.typcategory, t.typcategory) = 'S' OR coalesce(e.typname, t.typname) IN ('json', 'jsonb', 'bytea', 'xml', 'hstore')
        FROM pg_class c
        JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
        JOIN pg_type t ON t.oid = a.atttypid
        LEFT JOIN pg_type e ON e.oid = t.typelem AND t.typcategory = 'A'
        WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
        ORDER BY c.relname, a.attname
        """,
        row => (row.GetString(0), row.GetString(1), row.GetBoolean(2)));
}
