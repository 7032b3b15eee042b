using System.Text.Json;
using SalesTasks.Airflow;
using SalesTasks.Encryption;

namespace SalesTasks.Tests.Encryption;

/// <summary>Keys of the tests: each byte of a key is its number.</summary>
internal static class Keys
{
    public const string Variable = "AIRFLOW_CONN_SALES_ENCRYPTION";

    public static string Text(byte number) => Convert.ToBase64String(Enumerable.Repeat(number, 32).ToArray());

    /// <summary>The connection with this current key and older ones.</summary>
    public static string Connection(string current = "k1", byte key = 1, byte index = 99, params (string Id, byte Key)[] older) => JsonSerializer.Serialize(new
    {
        conn_type = "generic",
        login = current,
        password = Text(key),
        extra = new { index_secret = Text(index), older_secrets = older.ToDictionary(o => o.Id, o => Text(o.Key)) },
    });

    public static EncryptionKeys Read(string connection) =>
        EncryptionKeys.From(AirflowConnection.Parse(new ConnectionSource("sales_encryption", "the test"), connection));

    public static Sealer Sealer(string current = "k1", byte key = 1, byte index = 99, params (string Id, byte Key)[] older) =>
        new(Read(Connection(current, key, index, older)));
}
