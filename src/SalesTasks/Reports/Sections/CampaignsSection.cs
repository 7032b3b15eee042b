using SalesTasks.Charts;

namespace SalesTasks.Reports.Sections;

internal static class CampaignsSection
{
    private const int Shown = 8;

    public static ReportSection Section { get; } = new(
        "campaigns",
        new Phrase("Campaigns", "Campañas"),
        new Column("campaign", new Phrase("Campaign", "Campaña"), ColumnKind.Name),
        new Column("entered", new Phrase("Entered", "Entraron"), ColumnKind.Count),
        new Column("completed", new Phrase("Completed", "Terminaron"), ColumnKind.Count),
        new Column("stopped", new Phrase("Stopped", "Se detuvieron"), ColumnKind.Count),
        new Column("under_way", new Phrase("Under way at the end", "En curso al final"), ColumnKind.Count),
        new Column("emails", new Phrase("E-mails", "Correos"), ColumnKind.Count),
        new Column("calls", new Phrase("Calls", "Llamadas"), ColumnKind.Count),
        new Column("clicked", new Phrase("Clicked", "Clics"), ColumnKind.Count),
        new Column("replied", new Phrase("Replied", "Respuestas"), ColumnKind.Count),
        new Column("reply_share", new Phrase("Reply share", "Parte que responde"), ColumnKind.Share) { Interval = ("reply_low", "reply_high") },
        Column.Hidden("reply_low"),
        Column.Hidden("reply_high"))
    {
        Explanation = new(
            "Messages sent in the period and what came of them by its end; a reply belongs to the last message before it. In parentheses the 95 % interval.",
            "Mensajes enviados en el periodo y lo que resultó de ellos hasta su final; una respuesta pertenece al último mensaje anterior. Entre paréntesis el intervalo del 95 %."),
        Nothing = new("No campaign was under way in this period.", "Ninguna campaña estuvo en curso en este periodo."),
        Charts = static (table, language) =>
        {
            var sent = table.Rows.Where(row => table.Number(row, "reply_share") is not null).Take(Shown).ToList();
            return sent.Count == 0 ? [] :
            [
                BarChart.Draw(
                    table.Section.Chart(
                        "replies", language.Text("Messages answered, in percent, with the 95 % interval", "Mensajes respondidos, en porcentaje, con el intervalo del 95 %"),
                        string.Join(", ", sent.Select(row => $"{Names.Of(table, row, "campaign", language)}: {language.Share(table.NumberOrZero(row, "reply_share"))}"))),
                    [
                        .. sent.Select(row => new Bar(
                            Names.Of(table, row, "campaign", language), table.NumberOrZero(row, "reply_share"), language.Share(table.NumberOrZero(row, "reply_share")),
                            table.Number(row, "reply_low"), table.Number(row, "reply_high"))),
                    ]),
            ];
        },
    };
}
