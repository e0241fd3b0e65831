using System.Net.Sockets;
using Orleans.Runtime;

namespace KawaOrleans.Client;

/// <summary>Tells failures of calls apart.</summary>
internal static class Failure
{
    /// <summary>The call certainly had no effect and may succeed later, unchanged.</summary>
    public static bool HadNoEffect(Exception e) => e is KawaException { IsRetryable: true } or LimitExceededException or GatewayTooBusyException;

    /// <summary>The segment, or the way to it, says in its own words that nothing was written; only of a failed file it cannot know.</summary>
    public static bool SaysNotWritten(Exception e) => e is KawaException and not SegmentFaultedException and not UnknownOutcomeException;

    /// <summary>The way there or back failed: the call may or may not have been executed.</summary>
    public static bool IsOnTheWay(Exception e, CancellationToken callers) => e switch
    {
        KawaException => false,
        OperationCanceledException => !callers.IsCancellationRequested,
        _ => e is TimeoutException or OrleansException or IOException or SocketException,
    };

    /// <summary>How long nothing was heard before this error; 0 when something else told of it.</summary>
    public static TimeSpan Silence(Exception? e) => e is null ? TimeSpan.Zero : (e as SilenceException ?? e.InnerException as SilenceException)?.Lasted ?? TimeSpan.Zero;

    /// <summary>True for an error that says what is wrong with the request or the bytes, wherever they lie: asking elsewhere does not help.</summary>
    public static bool IsFinal(KawaException e) => e is RequestRefusedException or CorruptBlockException or UnknownLogException;

    /// <summary>A call without effects may be made again.</summary>
    public static bool IsWorthAnotherRead(KawaException e) => e.IsRetryable || e is DirectoryUnavailableException;
}
