using System.Buffers;
using System.Text.Json;

namespace SalesTasks.Leads;

/// <summary>
/// Subscribers as ManyChat exports and sends them: <c>id</c> a text or a number, <c>custom_fields</c> a list of {id, name, value} or a map,
/// <c>tags</c> a list of names or of {id, name}.
/// </summary>
internal static class ManyChat
{
    /// <summary>The mapping of subscribers where the user gives none.</summary>
    public const string Mapping =
        """
        columns:
          ext_id: { value: "manychat:{id}" }
          source: { value: manychat }
          first_name: first_name
          last_name: last_name
          email: email
          phone: { from: [phone, whatsapp_phone] }
          language: { from: [locale, language] }
          time_zone: timezone
          created_at: subscribed
          consent_email: optin_email
          consent_phone: optin_phone
        attributes: rest
        """;

    private static readonly string[] s_marks =
        ["custom_fields", "optin_email", "optin_phone", "whatsapp_phone", "last_interaction", "subscribed", "live_chat_url"];

    public static bool IsSubscriber(JsonElement record) =>
        record.ValueKind == JsonValueKind.Object && record.TryGetProperty("id", out _) && s_marks.Any(mark => record.TryGetProperty(mark, out _));

    /// <summary>The same subscriber with custom fields as a map and tags as a list of names.</summary>
    public static JsonDocument Normalize(JsonElement subscriber)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            foreach (var member in subscriber.EnumerateObject())
            {
                if (member.NameEquals("custom_fields") && member.Value.ValueKind == JsonValueKind.Array)
                {
                    json.WritePropertyName(member.Name);
                    WriteCustomFields(json, member.Value);
                }
                else if (member.NameEquals("tags") && member.Value.ValueKind == JsonValueKind.Array)
                {
                    json.WritePropertyName(member.Name);
                    WriteTags(json, member.Value);
                }
                else
                {
                    member.WriteTo(json);
                }
            }

            json.WriteEndObject();
        }

        return JsonDocument.Parse(buffer.WrittenMemory);
    }

    private static void WriteCustomFields(Utf8JsonWriter json, JsonElement list)
    {
        json.WriteStartObject();
        foreach (var field in list.EnumerateArray())
        {
            if (Name(field) is { } name && field.TryGetProperty("value", out var value) && value.ValueKind != JsonValueKind.Null)
            {
                json.WritePropertyName(name);
                value.WriteTo(json);
            }
        }

        json.WriteEndObject();
    }

    private static void WriteTags(Utf8JsonWriter json, JsonElement list)
    {
        json.WriteStartArray();
        foreach (var tag in list.EnumerateArray())
        {
            if (Name(tag) is { } name)
            {
                json.WriteStringValue(name);
            }
            else
            {
                tag.WriteTo(json);
            }
        }

        json.WriteEndArray();
    }

    private static string? Name(JsonElement element) =>
        element.ValueKind == JsonValueKind.Object && element.TryGetProperty("name", out var name) && name.ValueKind == JsonValueKind.String
            ? name.GetString()
            : null;
}
