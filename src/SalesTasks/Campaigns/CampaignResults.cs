using System.Globalization;
using Npgsql;
using SalesTasks.Cli;
using SalesTasks.Database;
using Spectre.Console;

namespace SalesTasks.Campaigns;

/// <summary>A share with its 95 % interval.</summary>
internal sealed record Share(double Value, double Low, double High)
{
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Value * 100:0.0} % ({Low * 100:0.0}–{High * 100:0.0})");
}

/// <summary>The difference from the step's first variant with its 95 % interval.</summary>
internal sealed record Difference(double Low, double High, bool Credible)
{
    public string ToText(PeopleContext context) => string.Create(
        CultureInfo.InvariantCulture,
        $"{Low * 100:+0.0;-0.0;0.0} {context.Text("to", "a")} {High * 100:+0.0;-0.0;0.0} {context.Text("points", "puntos")}: {(Credible ? context.Text("credible", "creíble") : context.Text("not credible yet", "aún no creíble"))}");
}

/// <summary>What came of one variant of one step.</summary>
internal sealed record VariantResult(
    int Step, string Variant, long Sent, long Delivered, long Clicked, long Replied, Share Clicks, Share Replies, Difference? ClickDifference,
    Difference? ReplyDifference)
{
    public Dictionary<string, object?> Describe() => new(StringComparer.Ordinal)
    {
        ["step"] = Step,
        ["variant"] = Variant.Length > 0 ? Variant : null,
        ["sent"] = Sent,
        ["delivered"] = Delivered,
        ["clicked"] = Clicked,
        ["replied"] = Replied,
        ["click_share"] = Describe(Clicks),
        ["reply_share"] = Describe(Replies),
        ["click_difference"] = Describe(ClickDifference),
        ["reply_difference"] = Describe(ReplyDifference),
    };

    private static Dictionary<string, object?> Describe(Share share) => new(StringComparer.Ordinal)
    {
        ["value"] = share.Value,
        ["low"] = share.Low,
        ["high"] = share.High,
    };

    private static Dictionary<string, object?>? Describe(Difference? difference) => difference is null ? null : new(StringComparer.Ordinal)
    {
        ["low"] = difference.Low,
        ["high"] = difference.High,
        ["credible"] = difference.Credible,
    };
}

/// <summary>The result table of a campaign's steps and variants, from <c>v_campaign_variants</c>.</summary>
internal static class CampaignResults
{
    public static Task<List<VariantResult>> LoadAsync(NpgsqlConnection connection, long campaignId, CancellationToken cancellationToken) =>
        connection.QueryStatementAsync(
            "campaigns/variants",
            [("id", campaignId)],
            row => new VariantResult(
                row.IsDBNull(0) ? 0 : row.GetInt32(0), row.GetString(1), row.GetInt64(2), row.GetInt64(3), row.GetInt64(4), row.GetInt64(5),
                new Share(row.GetDouble(6), row.GetDouble(7), row.GetDouble(8)), new Share(row.GetDouble(9), row.GetDouble(10), row.GetDouble(11)),
                Difference(row, 15), Difference(row, 12)),
            cancellationToken);

    public static void Write(PeopleContext context, List<VariantResult> results)
    {
        if (results.Count == 0)
        {
            context.Host.Out.WriteLine(context.Text("Nothing has been sent yet.", "Aún no se ha enviado nada."));
            return;
        }

        var table = new Table().AddColumns(
            context.Text("Step", "Paso"), context.Text("Variant", "Variante"), context.Text("Sent", "Enviados"), context.Text("Delivered", "Entregados"),
            context.Text("Clicked", "Clics"), context.Text("Replied", "Respuestas"), context.Text("Against the first, replies", "Frente a la primera, respuestas"));
        foreach (var result in results)
        {
            table.AddRow(
                $"{result.Step}", Markup.Escape(result.Variant), $"{result.Sent}", $"{result.Delivered}", $"{result.Clicked} = {result.Clicks}",
                $"{result.Replied} = {result.Replies}", result.ReplyDifference?.ToText(context) ?? "");
        }

        context.Console.Write(table);
        context.Host.Out.WriteLine(context.Text(
            "In parentheses the 95 % interval. A difference is credible when its interval leaves out zero.",
            "Entre paréntesis el intervalo del 95 %. Una diferencia es creíble cuando su intervalo no incluye el cero."));
    }

    private static Difference? Difference(NpgsqlDataReader row, int at) =>
        row.IsDBNull(at) ? null : new Difference(row.GetDouble(at), row.GetDouble(at + 1), row.GetBoolean(at + 2));
}
