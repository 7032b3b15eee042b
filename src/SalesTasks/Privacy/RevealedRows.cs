using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Npgsql;
using SalesTasks.Database;
using SalesTasks.Encryption;

namespace SalesTasks.Privacy;

/// <summary>Exported rows with the values in the place of what is sealed: the person is to read them.</summary>
internal sealed class RevealedRows
{
    private static readonly JsonSerializerOptions s_plain = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
    private readonly Dictionary<string, string> _values = new(StringComparer.Ordinal);
    private readonly Vault _vault;

    private RevealedRows(Vault vault) => _vault = vault;

    /// <exception cref="JobException">69: a value does not open.</exception>
    public static async Task<RevealedRows> OpenAsync(NpgsqlConnection connection, Vault vault, Person person, CancellationToken cancellationToken)
    {
        var rows = new RevealedRows(vault);
        var stored = await connection.QueryStatementAsync(
            "privacy/sealed", [.. person.Parameters.Where(p => p.Name is "lead_ids" or "digits")],
            row => (Import: row.IsDBNull(0) ? (long?)null : row.GetInt64(0), Lead: row.IsDBNull(1) ? 0 : row.GetInt64(1), Token: row.GetString(2), Sealed: row.GetFieldValue<byte[]>(3)),
            cancellationToken);
        foreach (var value in stored)
        {
            // An equal token is an equal value, whoever has it.
            var opened = value.Import is { } import
                ? vault.Open(SealedPlaces.Import(import, value.Token), value.Sealed)
                : vault.Open(value.Lead, value.Token, value.Sealed);
            rows._values[value.Token] = opened.Text ?? throw JobException.Refused(opened.Fault!);
        }

        return rows;
    }

    /// <param name="table">Of the row.</param>
    /// <param name="json">The row.</param>
    /// <exception cref="JobException">69: a sealed text of it does not open.</exception>
    public string Row(string table, string json)
    {
        if (!json.Contains("sealed", StringComparison.Ordinal))
        {
            return json;
        }

        var row = JsonNode.Parse(json)!.AsObject();
        switch (table)
        {
            case "crm_links":
                foreach (var column in (string[])["our_base", "their_base", "sending", "problem_values"])
                {
                    Documents(row, column, field => SealedPlaces.Link(row["id"]!.GetValue<long>(), column, field));
                }

                break;
            case "crm_conflicts":
                foreach (var column in (string[])["base_value", "our_value", "their_value"])
                {
                    Text(row, column, SealedPlaces.Conflict(row["link_id"]!.GetValue<long>(), row["version"]!.GetValue<int>(), column, $"{row["field"]}"));
                }

                break;
            case "crm_staged":
                Documents(row, "properties", field => SealedPlaces.Staged($"{row["crm"]}", $"{row["object"]}", $"{row["crm_id"]}", field));
                break;
            case "lead_import_rows":
                Text(row, "raw", SealedPlaces.Import(row["import_id"]!.GetValue<long>(), "raw"));
                break;
        }

        return Tokens(row).ToJsonString(s_plain);
    }

    private void Documents(JsonObject row, string column, Func<string, string> place)
    {
        if (row[column] is JsonObject document)
        {
            foreach (var field in SealedPlaces.Fields)
            {
                Text(document, field, place(field));
            }
        }
    }

    private void Text(JsonObject row, string name, string place)
    {
        if (row[name] is JsonValue value && value.TryGetValue<string>(out var text))
        {
            row[name] = _vault.OpenText(place, text);
        }
    }

    private JsonNode Tokens(JsonNode node)
    {
        switch (node)
        {
            case JsonObject members:
                foreach (var (name, member) in members.Where(m => m.Value is not null).ToList())
                {
                    members[name] = Revealed(member!);
                }

                break;
            case JsonArray items:
                for (var i = 0; i < items.Count; i++)
                {
                    items[i] = items[i] is { } item ? Revealed(item) : null;
                }

                break;
        }

        return node;
    }

    private JsonNode Revealed(JsonNode node) => node is JsonValue value && value.TryGetValue<string>(out var text)
        ? JsonValue.Create(Sealer.Replace(text, token => _values.GetValueOrDefault(token, token)))
        : Tokens(node).DeepClone();
}
