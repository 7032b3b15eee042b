using System.IO.Compression;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace SalesTasks.Predictions.Learning;

/// <summary>A fitted model that can be kept.</summary>
internal interface IKeptModel
{
    /// <summary>What won its competition.</summary>
    public string Algorithm { get; }

    /// <summary>Why this machine cannot use it; null where it can.</summary>
    [JsonIgnore]
    public string? Unusable { get; }
}

/// <summary>Models as bytes: packed JSON.</summary>
internal static class ModelContent
{
    public static byte[] Write<T>(T model)
    {
        using var buffer = new MemoryStream();
        using (var packed = new GZipStream(buffer, CompressionLevel.Optimal))
        {
            JsonSerializer.Serialize(packed, model);
        }

        return buffer.ToArray();
    }

    public static byte[] Hash(byte[] content) => SHA256.HashData(content);

    /// <summary>The model in bytes written by <see cref="Write"/>.</summary>
    /// <param name="format">The format kept beside them.</param>
    /// <param name="ownFormat">The one this program reads.</param>
    /// <param name="content">The bytes.</param>
    /// <param name="sha256">Their hash when they were written: damaged text can bring LightGBM's reader down.</param>
    /// <param name="fault">Why they cannot be read; null where they can.</param>
    public static T? Read<T>(int format, int ownFormat, byte[] content, byte[] sha256, out string? fault)
        where T : class, IKeptModel
    {
        fault = format != ownFormat ? $"its format is {format} and this program reads {ownFormat}"
            : !CryptographicOperations.FixedTimeEquals(Hash(content), sha256) ? "its content does not match its SHA-256: it is damaged"
            : null;
        if (fault is not null)
        {
            return null;
        }

        try
        {
            using var packed = new GZipStream(new MemoryStream(content), CompressionMode.Decompress);
            var model = JsonSerializer.Deserialize<T>(packed);
            fault = model is null ? "its content is not a model" : model.Unusable;
            return fault is null ? model : null;
        }
        catch (Exception exception) when (exception is JsonException or InvalidDataException or NotSupportedException)
        {
            fault = "its content is not a model";
            return null;
        }
    }
}
