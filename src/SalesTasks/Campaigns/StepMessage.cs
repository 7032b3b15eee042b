namespace SalesTasks.Campaigns;

/// <summary>The rendered texts of a step for one lead.</summary>
/// <param name="Subject">One line; null where the step has none.</param>
/// <param name="Text">Plain text; for an e-mail in HTML only, what it reads like.</param>
/// <param name="Html">Null where the step has none.</param>
internal sealed record StepMessage(string? Subject, string? Text, string? Html)
{
    /// <exception cref="TemplateException">A text cannot be rendered, or comes out empty where the step needs it.</exception>
    public static StepMessage Render(CampaignStep step, StepTexts texts, LeadFacts facts, string language)
    {
        var html = texts.Html?.Render(facts, language);
        var text = texts.Body?.Render(facts, language) ?? (html is null ? null : HtmlText.From(html));
        var subject = texts.Subject?.Render(facts, language);
        if (step.Type is not StepType.Slack && string.IsNullOrWhiteSpace(subject))
        {
            throw new TemplateException("the subject comes out empty");
        }

        return step.Type is StepType.Email or StepType.Slack && string.IsNullOrWhiteSpace(text)
            ? throw new TemplateException("the body comes out empty")
            : new StepMessage(subject, text, html);
    }
}
