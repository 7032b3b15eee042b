using System.Text.RegularExpressions;
using Npgsql;
using NpgsqlTypes;
using SalesTasks.Database;
using SalesTasks.Tests.TestBase;

namespace SalesTasks.Tests.Database;

/// <summary>Every file in sql/ outside migrations.</summary>
public sealed partial class StatementTests(TestDatabase database) : IClassFixture<TestDatabase>
{
    public static TheoryData<string> Names => [.. Sql.All()];

    /// <summary>
    /// The server parses and plans the statement against the migrated schema. Instants (<c>@as_of</c>, <c>@…_at</c>) are passed as
    /// timestamptz, as the program does; the type of every other parameter must follow from the statement (<c>@x::int</c> where it
    /// does not), so that null can be passed. Npgsql allows one statement in a batch command: a second one in the file fails here too.
    /// </summary>
    [Theory]
    [MemberData(nameof(Names))]
    public async Task Statement_AgainstMigratedSchema_IsPreparedAsOneStatement(string name)
    {
        await using var connection = await database.OpenConnectionAsync();
        await using var batch = new NpgsqlBatch(connection);
        var command = Sql.BatchCommand(name);
        foreach (var parameter in Parameter().Matches(Sql.Load(name)).Select(match => match.Groups["name"].Value).Distinct())
        {
            var isInstant = parameter == "as_of" || parameter.EndsWith("_at", StringComparison.Ordinal);
            command.Parameters.Add(new NpgsqlParameter(parameter, isInstant ? NpgsqlDbType.TimestampTz : NpgsqlDbType.Unknown));
        }

        batch.BatchCommands.Add(command);

        await batch.PrepareAsync(TestContext.Current.CancellationToken);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Statement_Text_BeginsWithAComment(string name) => Assert.StartsWith("-- ", Sql.Load(name), StringComparison.Ordinal);

    // @@ and x@y are operators and text, not parameters.
    [GeneratedRegex(@"(?<![@\w])@(?<name>\w+)", RegexOptions.ExplicitCapture)]
    private static partial Regex Parameter();
}
