using System.Text.Encodings.Web;
using System.Text.Json;
using SalesTasks.Cli;

namespace SalesTasks.Reports;

/// <summary>The whole report as JSON: the period and each section's rows as objects. The same in every language.</summary>
internal static class JsonDocumentText
{
    private static readonly JsonWriterOptions s_options = new() { Indented = true, NewLine = "\n", Encoder = JavaScriptEncoder.Default };

    public static byte[] Write(ReportPeriod period, IReadOnlyList<ReportTable> tables)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer, s_options))
        {
            json.WriteStartObject();
            json.WriteString("report_type", period.Type);
            json.WriteString("period", period.Id);
            json.WriteString("period_start", period.Start);
            json.WriteString("period_end", period.End);
            json.WriteStartObject("tables");
            foreach (var table in tables)
            {
                json.WriteStartArray(table.Section.Name);
                foreach (var row in table.Rows)
                {
                    json.WriteStartObject();
                    for (var i = 0; i < row.Length; i++)
                    {
                        json.WritePropertyName(table.Columns[i].Name);
                        JsonValues.Write(json, row[i]);
                    }

                    json.WriteEndObject();
                }

                json.WriteEndArray();
            }

            json.WriteEndObject();
            json.WriteEndObject();
        }

        return buffer.ToArray();
    }
}
