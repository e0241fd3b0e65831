using StackExchange.Redis;

namespace KawaOrleans.Silo.Configuration;

/// <summary>Where a Redis is, as the operator writes it: <c>host:port</c>, then options of the client, separated by commas.</summary>
internal static class RedisPlace
{
    // Not the client's growing pauses of up to ten seconds: rolls wait for a Redis that is back.
    private static readonly TimeSpan BetweenConnects = TimeSpan.FromSeconds(1);

    public static ConfigurationOptions Parse(string text)
    {
        var options = ConfigurationOptions.Parse(text);
        options.ReconnectRetryPolicy = new LinearRetry((int)BetweenConnects.TotalMilliseconds);

        // Whoever asks a chain store that is away is told at once, and not after seconds of which a caller sees only that nobody answers.
        options.BacklogPolicy = BacklogPolicy.FailFast;
        options.IncludeDetailInExceptions = false;
        return options;
    }

    /// <summary>Why this is none, or null. Says nothing of what it holds: a password may be in it.</summary>
    public static string? WhyNot(string text)
    {
        const string Form = "host:port, then options of the Redis client, separated by commas, for example redis-1:6379,password=…,ssl=true";
        try
        {
            return Parse(text).EndPoints.Count == 1 ? null : $"names one Redis: {Form}";
        }
        catch (ArgumentException unreadable)
        {
            return $"is not {Form}{(unreadable.ParamName is { } option ? $" (see '{option}')" : "")}";
        }
    }
}
