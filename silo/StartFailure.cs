using System.Net.Sockets;
using Orleans.Runtime;

namespace KawaOrleans.Silo;

/// <summary>Failures an operator can mend: one sentence instead of a stack trace.</summary>
internal static class StartFailure
{
    public static string? Explain(Exception failure)
    {
        for (var cause = failure; cause is not null; cause = cause.InnerException)
        {
            if (cause is OrleansConfigurationException or KawaException or IOException or SocketException or UnauthorizedAccessException)
            {
                return cause.Message;
            }
        }

        return null;
    }
}
