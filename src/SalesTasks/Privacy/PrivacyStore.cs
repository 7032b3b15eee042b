using System.Security.Cryptography;
using System.Text.RegularExpressions;
using Npgsql;
using SalesTasks.Database;

namespace SalesTasks.Privacy;

/// <summary>What the privacy commands share.</summary>
internal static partial class PrivacyStore
{
    private const int HashBlock = 64;
    private const byte InnerPad = 0x36;
    private const byte OuterPad = 0x5C;

    /// <summary>Runs a statement with those of the values that it names.</summary>
    public static Task<int> ExecuteAsync(
        NpgsqlConnection connection, string statement, (string Name, object? Value)[] values, CancellationToken cancellationToken) =>
        connection.ExecuteStatementAsync(statement, Needed(statement, values), cancellationToken);

    /// <summary>The first column of all rows, of a statement with those of the values that it names.</summary>
    public static Task<List<T>> QueryAsync<T>(
        NpgsqlConnection connection, string statement, (string Name, object? Value)[] values, CancellationToken cancellationToken) =>
        connection.QueryStatementAsync(statement, Needed(statement, values), row => row.GetFieldValue<T>(0), cancellationToken);

    /// <summary>
    /// Makes the database's key where it has none: 32 bytes, kept as HMAC needs them (RFC 2104), so that the server hashes without an extension.
    /// </summary>
    public static async Task EnsureSecretAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        var key = new byte[HashBlock];
        RandomNumberGenerator.Fill(key.AsSpan(0, 32));
        await connection.ExecuteStatementAsync("privacy/secret", [("inner", Padded(key, InnerPad)), ("outer", Padded(key, OuterPad))], cancellationToken);
    }

    /// <summary>Writes down that something was asked, and returns the request's id.</summary>
    public static Task<long> RequestAsync(
        NpgsqlConnection connection, string kind, Subject subject, string? reason, int leads, CancellationToken cancellationToken) =>
        connection.ScalarStatementAsync<long>(
            "privacy/request",
            [("kind", kind), ("subject_kind", subject.Kind), ("subject", subject.Text), ("reason", reason), ("count", leads)],
            cancellationToken);

    private static byte[] Padded(byte[] key, byte pad) => Array.ConvertAll(key, b => (byte)(b ^ pad));

    private static (string, object?)[] Needed(string statement, (string Name, object? Value)[] values)
    {
        var names = Parameter().Matches(Sql.Load(statement)).Select(match => match.Groups["name"].Value).ToHashSet(StringComparer.Ordinal);
        return [.. values.Where(value => names.Contains(value.Name))];
    }

    [GeneratedRegex(@"(?<![@\w])@(?<name>[a-z_]+)", RegexOptions.ExplicitCapture)]
    private static partial Regex Parameter();
}
