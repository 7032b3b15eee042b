using SalesTasks.Database;

namespace SalesTasks.Tests.Database;

public sealed class SqlTests
{
    [Fact]
    public void Load_UnknownName_NamesTheExpectedFile()
    {
        var error = Assert.Throws<InvalidOperationException>(() => Sql.Load("nowhere/nothing"));

        Assert.Contains("sql/nowhere/nothing.sql", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void All_Always_LeavesMigrationsOut()
    {
        Assert.Contains("database/journal", Sql.All());
        Assert.DoesNotContain(Sql.All(), name => name.StartsWith("migrations/", StringComparison.Ordinal));
        Assert.Equal("migrations/0001_types", Sql.Migrations()[0]);
    }
}
