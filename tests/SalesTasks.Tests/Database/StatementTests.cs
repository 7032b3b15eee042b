using Npgsql;
using SalesTasks.Database;
using SalesTasks.Tests.TestBase;

namespace SalesTasks.Tests.Database;

public sealed class StatementTests(TestDatabase database) : IClassFixture<TestDatabase>
{
    public static TheoryData<string> Names => [.. Sql.All()];

    [Theory]
    [MemberData(nameof(Names))]
    public async Task Statement_AgainstMigratedSchema_IsPrepared(string name)
    {
        await using var connection = await database.OpenConnectionAsync();
        await using var command = Sql.Command(connection, name);

        // The server parses and plans the statement and infers the parameters' types: everything PREPARE does.
        NpgsqlCommandBuilder.DeriveParameters(command);

        Assert.All(command.Parameters, parameter => Assert.NotEqual("unknown", parameter.DataTypeName));
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Statement_Text_BeginsWithComment(string name) => Assert.StartsWith("-- ", Sql.Load(name));

    [Theory]
    [MemberData(nameof(Names))]
    public async Task Statement_Text_IsOneStatement(string name)
    {
        await using var connection = await database.OpenConnectionAsync();
        await using var command = Sql.Command(connection, name);
        NpgsqlCommandBuilder.DeriveParameters(command);
        await using var batch = new NpgsqlBatch(connection);
        var one = Sql.BatchCommand(name);
        foreach (NpgsqlParameter parameter in command.Parameters)
        {
            one.Parameters.Add(new NpgsqlParameter(parameter.ParameterName, parameter.NpgsqlDbType));
        }

        batch.BatchCommands.Add(one);

        // A batch command may hold one statement only; Npgsql refuses more before anything runs.
        await batch.PrepareAsync(TestContext.Current.CancellationToken);
    }
}
