using System.CommandLine;
using Npgsql;
using SalesTasks.Airflow;
using SalesTasks.Cli;

namespace SalesTasks.Insights;

/// <summary><c>insights</c>: how the team does, for people who want to look and not to write SQL. The views of the contract as tables.</summary>
internal static class InsightsCommand
{
    private const int MostRows = 1_000;

    private static readonly InsightTable s_indicators = new(
        "indicators", "Indicators: last 30 days and the 30 before", "Indicadores: últimos 30 días y los 30 anteriores",
        new InsightColumn("name", "Indicator", "Indicador"),
        new InsightColumn("value", "Now", "Ahora", "N2"),
        new InsightColumn("before", "Before", "Antes", "N2"));

    private static readonly InsightTable s_funnel = new(
        "funnel", "Funnel: deals qualified in the last 90 days", "Embudo: oportunidades calificadas en los últimos 90 días",
        new InsightColumn("stage", "Stage", "Etapa"),
        new InsightColumn("total_leads", "Here", "Aquí", "N0"),
        new InsightColumn("reached_leads", "Reached", "Llegaron", "N0"),
        new InsightColumn("conversion_rate_pct", "% of before", "% de antes", "N1"),
        new InsightColumn("avg_days_in_stage", "Days", "Días", "N1"),
        new InsightColumn("total_value", "Value", "Valor", "N0"));

    private static readonly InsightTable s_forecast = new(
        "forecast", "Forecast (80 % interval)", "Previsión (intervalo del 80 %)",
        new InsightColumn("forecast_month", "Month", "Mes"),
        new InsightColumn("total_deals", "Deals", "Oport.", "N0"),
        new InsightColumn("total_pipeline_value", "Value", "Valor", "N0"),
        new InsightColumn("weighted_forecast", "Expected", "Esperado", "N0"),
        new InsightColumn("weighted_forecast_low", "Low", "Mínimo", "N0"),
        new InsightColumn("weighted_forecast_high", "High", "Máximo", "N0"));

    private static readonly InsightTable s_top = new(
        "top", "Open deals with the most expected money", "Oportunidades abiertas con más dinero esperado",
        new InsightColumn("lead_ext_id", "Lead", "Lead"),
        new InsightColumn("full_name", "Who", "Quién"),
        new InsightColumn("email", "E-mail", "Correo") { OnlyWide = true },
        new InsightColumn("stage", "Stage", "Etapa"),
        new InsightColumn("estimated_value", "Value", "Valor", "N0"),
        new InsightColumn("probability_pct", "%", "%", "N0"),
        new InsightColumn("expected_value", "Expected", "Esperado", "N0"),
        new InsightColumn("assigned_to", "Rep", "Repr."),
        new InsightColumn("days_in_pipeline", "Days", "Días", "N0"));

    private static readonly InsightTable s_risk = new(
        "risk", "Open deals at risk", "Oportunidades abiertas en riesgo",
        new InsightColumn("lead_ext_id", "Lead", "Lead"),
        new InsightColumn("email", "E-mail", "Correo") { OnlyWide = true },
        new InsightColumn("stage", "Stage", "Etapa"),
        new InsightColumn("estimated_value", "Value", "Valor", "N0"),
        new InsightColumn("days_since_contact", "Days silent", "Días sin contacto", "N0"),
        new InsightColumn("overdue_tasks_count", "Overdue", "Vencidas", "N0"),
        new InsightColumn("ml_risk_score", "Risk", "Riesgo", "0.00"),
        new InsightColumn("risk_level", "Level", "Nivel"));

    private static readonly InsightTable s_reps = new(
        "reps", "Reps, last 30 days", "Representantes, últimos 30 días",
        new InsightColumn("assigned_to", "Rep", "Repr."),
        new InsightColumn("name", "Name", "Nombre") { OnlyWide = true },
        new InsightColumn("active_leads", "Open", "Abiertas", "N0"),
        new InsightColumn("won_last_30d", "Won", "Ganadas", "N0"),
        new InsightColumn("lost_last_30d", "Lost", "Perdidas", "N0"),
        new InsightColumn("win_rate_pct", "Win %", "Éxito %", "N1"),
        new InsightColumn("total_revenue", "Revenue", "Ingresos", "N0"),
        new InsightColumn("avg_days_to_close", "Days to close", "Días hasta cerrar", "N1") { OnlyWide = true },
        new InsightColumn("overdue_tasks", "Overdue", "Vencidas", "N0"),
        new InsightColumn("avg_lead_score", "Score", "Puntos", "N1") { OnlyWide = true },
        new InsightColumn("weighted_pipeline", "Weighted", "Ponderado", "N0"));

    private static readonly InsightTable s_sources = new(
        "sources", "Sources, all time", "Fuentes, desde el principio",
        new InsightColumn("source", "Source", "Fuente"),
        new InsightColumn("leads", "Leads", "Leads", "N0"),
        new InsightColumn("avg_score", "Score", "Puntos", "N1"),
        new InsightColumn("qualified", "Qualified", "Calif.", "N0") { OnlyWide = true },
        new InsightColumn("qualified_pct", "Qual. %", "Calif. %", "N1"),
        new InsightColumn("won", "Won", "Ganados", "N0"),
        new InsightColumn("lost", "Lost", "Perdidos", "N0"),
        new InsightColumn("win_rate_pct", "Win %", "Éxito %", "N1"),
        new InsightColumn("revenue", "Revenue", "Ingresos", "N0"),
        new InsightColumn("weighted_pipeline", "Weighted", "Ponderado", "N0") { OnlyWide = true });

    private static readonly Dictionary<string, InsightTable> s_lists = new(StringComparer.Ordinal)
    {
        ["top"] = s_top,
        ["risk"] = s_risk,
        ["reps"] = s_reps,
        ["sources"] = s_sources,
    };

    private static readonly string[] s_topics = ["summary", .. s_lists.Keys];

    public static PeopleCommand Create()
    {
        var topic = new Argument<string>("topic")
        {
            Description = "One of " + string.Join(", ", s_topics) + "; left out: summary",
            Arity = ArgumentArity.ZeroOrOne,
        };
        var limit = WholeNumber.Option("--limit", "Rows at most; summary has no such limit", 20, 1, MostRows);
        var days = WholeNumber.Option("--days", "risk: days without contact from which a deal is shown", 7, 0, 3_650);
        var command = new PeopleCommand("insights", "How the team does: summary, top deals, deals at risk, reps, sources", async (context, stop) =>
        {
            var chosen = context.Parse.GetValue(topic) ?? s_topics[0];
            if (!s_topics.Contains(chosen, StringComparer.Ordinal))
            {
                throw JobException.Usage($"insights: topic {Quoted.Text(chosen)} is not known; allowed: {string.Join(", ", s_topics)}");
            }

            await using var database = await context.OpenAsync(stop);
            await using var connection = await database.OpenAsync(stop);
            if (s_lists.TryGetValue(chosen, out var list))
            {
                (string, object?)[] parameters = chosen is "risk"
                    ? [("limit", context.Parse.GetValue(limit)), ("days", context.Parse.GetValue(days))]
                    : [("limit", context.Parse.GetValue(limit))];
                var rows = await list.LoadAsync(connection, parameters, stop);
                if (context.Json)
                {
                    context.WriteJson(rows);
                }
                else
                {
                    list.Write(context, rows);
                }
            }
            else
            {
                await SummarizeAsync(context, connection, stop);
            }

            return ExitCode.Done;
        });
        command.Arguments.Add(topic);
        command.Options.Add(limit);
        command.Options.Add(days);
        return command;
    }

    private static async Task SummarizeAsync(PeopleContext context, NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        var indicators = await s_indicators.LoadAsync(connection, [], cancellationToken);
        var funnel = await s_funnel.LoadAsync(connection, [], cancellationToken);
        var forecast = await s_forecast.LoadAsync(connection, [], cancellationToken);
        if (context.Json)
        {
            context.WriteJson(new Dictionary<string, object?>(StringComparer.Ordinal)
            {
                ["indicators"] = indicators,
                ["funnel"] = funnel,
                ["forecast"] = forecast,
            });
            return;
        }

        s_indicators.Write(context, indicators, new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["open_deals"] = context.Text("Open deals", "Oportunidades abiertas"),
            ["pipeline_value"] = context.Text("Pipeline value", "Valor del pipeline"),
            ["weighted_pipeline"] = context.Text("Weighted pipeline", "Pipeline ponderado"),
            ["conversion_rate_pct"] = context.Text("Conversion, % (90 days)", "Conversión, % (90 días)"),
            ["win_rate_pct"] = context.Text("Win rate, %", "Tasa de éxito, %"),
            ["revenue"] = context.Text("Revenue", "Ingresos"),
            ["days_to_close"] = context.Text("Days to close", "Días hasta cerrar"),
            ["hours_to_first_contact"] = context.Text("Hours to first contact (median)", "Horas hasta el primer contacto (mediana)"),
            ["tasks_on_time_pct"] = context.Text("Tasks done on time, %", "Tareas hechas a tiempo, %"),
        });
        s_funnel.Write(context, funnel);
        s_forecast.Write(context, forecast);
    }
}
