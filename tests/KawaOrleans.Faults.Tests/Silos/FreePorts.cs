using System.Net;
using System.Net.Sockets;

namespace KawaOrleans.Faults.Tests.Silos;

/// <summary>Ports below the range that the system gives to outgoing connections: they stay free while a killed silo is down.</summary>
internal static class FreePorts
{
    private const int First = 20_000;
    private const int Count = 10_000;

    // Test processes that run side by side begin at different places.
    private static int s_next = Environment.ProcessId * 37 % Count;

    public static int Take()
    {
        for (var tried = 0; tried < Count; tried++)
        {
            var port = First + (Interlocked.Increment(ref s_next) % Count);
            try
            {
                using var listener = new TcpListener(IPAddress.Loopback, port);
                listener.Start();
                return port;
            }
            catch (SocketException)
            {
                // Taken: the next one.
            }
        }

        throw new InvalidOperationException($"no free port from {First} to {First + Count}");
    }
}
