using System.Text.Json;

namespace SalesTasks.Delivery;

/// <summary>Reads the payload of a message and writes what goes out.</summary>
internal static class MessageBody
{
    /// <summary>Writes the JSON body of a request.</summary>
    public static byte[] Write(Action<Utf8JsonWriter> write)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            write(json);
            json.WriteEndObject();
        }

        return buffer.ToArray();
    }

    /// <summary>A text of the payload; null where it is absent, null or no text.</summary>
    public static string? Text(JsonElement payload, string name) =>
        payload.ValueKind == JsonValueKind.Object && payload.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String
            ? value.GetString()
            : null;

    /// <summary>Copies a member where it is there and not null.</summary>
    public static void Copy(Utf8JsonWriter json, JsonElement payload, string name)
    {
        if (payload.TryGetProperty(name, out var value) && value.ValueKind is not JsonValueKind.Null)
        {
            json.WritePropertyName(name);
            value.WriteTo(json);
        }
    }

    /// <summary>The writer's metadata with what we know ourselves: <c>lead_ext_id</c>, <c>campaign_step</c>, <c>purpose</c>.</summary>
    public static void WriteMetadata(Utf8JsonWriter json, OutboxMessage message, JsonElement payload)
    {
        json.WriteStartObject("metadata");
        if (payload.TryGetProperty("metadata", out var metadata) && metadata.ValueKind == JsonValueKind.Object)
        {
            foreach (var member in metadata.EnumerateObject().Where(m => m.Name is not ("lead_ext_id" or "campaign_step" or "purpose")))
            {
                member.WriteTo(json);
            }
        }

        if (message.LeadExtId is not null)
        {
            json.WriteString("lead_ext_id", message.LeadExtId);
        }

        if (message.StepNumber is { } step)
        {
            json.WriteNumber("campaign_step", step);
        }

        json.WriteString("purpose", message.Purpose);
        json.WriteEndObject();
    }
}
