using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using SalesTasks.Airflow;

namespace SalesTasks.Campaigns;

/// <summary>Decides what a due step does for one lead, and renders it. Touches no database.</summary>
/// <param name="campaigns">The campaigns that can run, by id.</param>
/// <param name="policy">The window of the sending policy.</param>
/// <param name="connections">Which channels of our own are set up.</param>
internal sealed class StepWriter(IReadOnlyDictionary<long, Campaign> campaigns, SendWindow policy, ConnectionIds connections)
{
    private static readonly JsonWriterOptions s_json = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public StepAct Write(DueExecution execution)
    {
        var campaign = campaigns[execution.CampaignId];
        var number = execution.StepsDone + 1;
        if (number > campaign.Steps.Count)
        {
            // Steps were taken out of the campaign meanwhile.
            return new StepAct(execution, execution.StepsDone, null, Completed: true);
        }

        var step = campaign.Steps[number - 1];
        var variant = VariantChoice.Choose(step.Variants, execution.CampaignId, execution.Facts.LeadExtId);
        var facts = execution.Facts with { CampaignName = campaign.Name, Step = number };
        var act = new StepAct(execution, number, NextAfter(campaign, number), number == campaign.Steps.Count)
        {
            EventType = step.EventType,
            Variant = variant.Name.Length > 0 ? variant.Name : null,
        };
        if (Obstacle(step, execution) is { } obstacle)
        {
            return act with { EventStatus = "skipped", EventMetadata = Metadata(campaign, number, variant, execution, ("skip_reason", obstacle)) };
        }

        var metadata = Metadata(campaign, number, variant, execution, null);
        var (language, texts) = variant.For(facts.Language);
        StepMessage message;
        try
        {
            message = StepMessage.Render(step, texts, facts, language);
        }
        catch (TemplateException exception)
        {
            return act with { EventStatus = "failed", EventMetadata = Metadata(campaign, number, variant, execution, ("failure", exception.Message)) };
        }

        return step.Type switch
        {
            StepType.Email => Sent(act, Outbox(execution, number, "email", execution.Facts.Email, step, Payload(message, metadata)), metadata),
            StepType.Call when connections.Calls is not null =>
                Sent(act, Outbox(execution, number, "call", execution.Facts.Phone, step, CallPayload(message, metadata)), metadata),
            // Nobody to ask for calls: the rep makes it.
            StepType.Call => act with
            {
                EventType = "custom",
                EventStatus = "completed",
                EventMetadata = metadata,
                Task = Task(step with { TaskType = "call" }, message, execution),
            },
            StepType.Slack => Sent(act, Outbox(execution, number, "slack", null, null, SlackPayload(message, metadata)), metadata),
            _ => WithTask(act, Task(step, message, execution), execution, number, metadata),
        };
    }

    private StepAct WithTask(StepAct act, StepTask task, DueExecution execution, int number, string metadata)
    {
        var done = act with { EventStatus = "completed", EventMetadata = metadata, Task = task };
        return connections.Tasks is null
            ? done
            : done with
            {
                Next = null,
                Completed = false,
                Message = Outbox(execution, number, "task", null, null, TaskPayload(task, execution.Facts.Now, metadata)),
            };
    }

    private static StepAct Sent(StepAct act, StepOutbox message, string metadata) =>
        act with { EventMetadata = metadata, Message = message, Next = null, Completed = false };

    private static TimeSpan? NextAfter(Campaign campaign, int number) =>
        number < campaign.Steps.Count ? campaign.Steps[number].Delay : null;

    /// <summary>Why the step cannot be done for this lead; null where it can.</summary>
    private string? Obstacle(CampaignStep step, DueExecution execution) => step.Type switch
    {
        StepType.Email when execution.Facts.Email is null => "the lead has no valid e-mail address",
        StepType.Call when execution.Facts.Phone is null => "the lead has no telephone number",
        StepType.Call when connections.Calls is null && execution.PipelineId is null => "the lead has no deal, which a task belongs to",
        StepType.Task when execution.PipelineId is null => "the lead has no deal, which a task belongs to",
        StepType.Slack when connections.Slack is null => $"{ConnectionIds.SlackVariable} names no connection",
        _ => null,
    };

    private StepOutbox Outbox(
        DueExecution execution, int number, string channel, string? recipient, CampaignStep? windowed, string payload)
    {
        // A window that the policy no longer meets makes the campaign invalid, so it is not empty here.
        var window = windowed is null ? null : windowed.Window is { } own ? own.Within(policy) ?? policy : policy;
        return new StepOutbox(
            string.Create(CultureInfo.InvariantCulture, $"campaign:{execution.Id}:{number}"),
            channel, recipient, payload, window is null ? null : execution.TimeZone, window);
    }

    private static StepTask Task(CampaignStep step, StepMessage message, DueExecution execution) =>
        new(step.TaskType, message.Subject!, message.Text, step.TaskPriority, execution.Facts.RepEmail, step.Due);

    private static string Payload(StepMessage message, string metadata) => Json(json =>
    {
        if (message.Subject is not null)
        {
            json.WriteString("subject", message.Subject);
        }

        if (message.Text is not null)
        {
            json.WriteString("text", message.Text);
        }

        if (message.Html is not null)
        {
            json.WriteString("html", message.Html);
        }

        json.WritePropertyName("metadata");
        json.WriteRawValue(metadata, skipInputValidation: true);
    });

    /// <summary>The three characters that command Slack are escaped, so that a name such as &lt;!channel&gt; notifies nobody.</summary>
    private static string SlackPayload(StepMessage message, string metadata) => Payload(
        new StepMessage(
            null,
            message.Text?.Replace("&", "&amp;", StringComparison.Ordinal).Replace("<", "&lt;", StringComparison.Ordinal)
                .Replace(">", "&gt;", StringComparison.Ordinal),
            null),
        metadata);

    private static string CallPayload(StepMessage message, string metadata) => Json(json =>
    {
        json.WriteString("title", message.Subject);
        if (message.Text is not null)
        {
            json.WriteString("notes", message.Text);
        }

        json.WritePropertyName("metadata");
        json.WriteRawValue(metadata, skipInputValidation: true);
    });

    private static string TaskPayload(StepTask task, DateTimeOffset now, string metadata) => Json(json =>
    {
        json.WriteString("title", task.Title);
        if (task.Description is not null)
        {
            json.WriteString("description", task.Description);
        }

        json.WriteString("due", now + task.Due);
        if (task.AssignedTo is not null)
        {
            json.WriteString("assignee", task.AssignedTo);
        }

        json.WritePropertyName("metadata");
        json.WriteRawValue(metadata, skipInputValidation: true);
    });

    private static string Metadata(Campaign campaign, int number, Variant variant, DueExecution execution, (string Name, string Text)? reason) => Json(json =>
    {
        json.WriteString("lead_ext_id", execution.Facts.LeadExtId);
        json.WriteString("campaign", campaign.Name);
        json.WriteNumber("campaign_id", execution.CampaignId);
        json.WriteNumber("campaign_step", number);
        if (variant.Name.Length > 0)
        {
            json.WriteString("variant", variant.Name);
        }

        if (reason is var (name, text))
        {
            json.WriteString(name, text);
        }
    });

    private static string Json(Action<Utf8JsonWriter> write)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer, s_json))
        {
            json.WriteStartObject();
            write(json);
            json.WriteEndObject();
        }

        return Encoding.UTF8.GetString(buffer.GetBuffer(), 0, (int)buffer.Length);
    }
}
