using System.Security.Cryptography;
using Npgsql;

namespace SalesTasks.Tests.TestBase;

/// <summary>A role without any privilege of its own, for one database; dropped at the end together with what it owns there.</summary>
internal sealed class TestRole : IAsyncDisposable
{
    private readonly TestDatabase _database;

    private TestRole(TestDatabase database, string name, string password)
    {
        _database = database;
        Name = name;
        Connection = new NpgsqlConnectionStringBuilder(database.Connection.ConnectionString) { Username = name, Password = password };
    }

    /// <summary>Needs no quoting.</summary>
    public string Name { get; }

    /// <summary>How the role connects.</summary>
    public NpgsqlConnectionStringBuilder Connection { get; }

    public static async Task<TestRole> CreateAsync(TestDatabase database)
    {
        var password = RandomNumberGenerator.GetHexString(16);
        var role = new TestRole(database, $"sales_role_{RandomNumberGenerator.GetHexString(8, lowercase: true)}", password);
        await database.ExecuteAsync($"CREATE ROLE {role.Name} LOGIN PASSWORD '{password}'");
        return role;
    }

    public async ValueTask DisposeAsync()
    {
        await _database.ExecuteAsync($"DROP OWNED BY {Name} CASCADE");
        await _database.ExecuteAsync($"DROP ROLE {Name}");
    }
}
