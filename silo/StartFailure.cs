using System.Net.Sockets;
using Orleans.Runtime;
using StackExchange.Redis;

namespace KawaOrleans.Silo;

/// <summary>Failures an operator can mend: one sentence instead of a stack trace.</summary>
internal static class StartFailure
{
    public static string? Explain(Exception failure)
    {
        for (var cause = failure; cause is not null; cause = cause.InnerException)
        {
            if (cause is RedisException)
            {
                return $"Redis, which keeps chains and membership, does not answer: {cause.Message}";
            }

            if (cause is OrleansConfigurationException or KawaException or IOException or SocketException or UnauthorizedAccessException)
            {
                return cause.Message;
            }
        }

        return null;
    }
}
