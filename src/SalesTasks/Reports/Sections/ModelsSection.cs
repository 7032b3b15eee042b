namespace SalesTasks.Reports.Sections;

internal static class ModelsSection
{
    public static ReportSection Section { get; } = new(
        "models",
        new Phrase("Quality of the predictions", "Calidad de las predicciones"),
        new Column("model", new Phrase("Model", "Modelo"), ColumnKind.Word),
        new Column("measure", new Phrase("Measure", "Medida"), ColumnKind.Word),
        new Column("feature", new Phrase("Feature", "Característica"), ColumnKind.Word),
        new Column("value", new Phrase("Value", "Valor"), ColumnKind.Figure),
        new Column("level", new Phrase("Level", "Nivel"), ColumnKind.Word),
        new Column("deals", new Phrase("Deals", "Oportunidades"), ColumnKind.Count),
        new Column("expected", new Phrase("Predicted", "Predicho"), ColumnKind.Share),
        new Column("observed", new Phrase("Came true", "Ocurrió"), ColumnKind.Share),
        Column.Hidden("measured_on"))
    {
        Explanation = new(
            "The models in use at the end of the period. Drift: how far the open deals are from those a model was trained on (population stability index; high from 0.25). "
            + "Calibration: how far past predictions were from what happened (high from 0.1).",
            "Los modelos en uso al final del periodo. Deriva: cuánto se apartan las oportunidades abiertas de aquellas con las que se entrenó (índice de estabilidad; alto desde "
            + "0,25). Calibración: cuánto se apartaron las predicciones pasadas de lo que ocurrió (alto desde 0,1)."),
        Nothing = new(
            "No model was published: rates by stage and source stood in for predictions.",
            "No había ningún modelo publicado: en lugar de predicciones se usaron las tasas por etapa y fuente."),
    };
}
