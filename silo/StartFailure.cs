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
                // Behind this the client advises its programmer.
                var said = cause.Message.Split(" To allow this multiplexer")[0];
                return $"The Redis that is to keep chains and membership (Kawa:Redis, --redis) does not serve this silo: {said}";
            }

            if (cause is OrleansConfigurationException or KawaException or IOException or SocketException or UnauthorizedAccessException)
            {
                return cause.Message;
            }
        }

        return null;
    }
}
