/** Buttons that change a webhook endpoint at once: test, disable, enable. */

import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { answerOf } from "../../api/api-client.ts";
import { ChangeButton } from "../../components/change-button.tsx";
import { Button } from "../../components/controls.tsx";
import { Confirm } from "../../components/dialog.tsx";
import { toast } from "../../components/toast.tsx";
import { useApi } from "../../shell/session.tsx";
import type { Endpoint } from "./endpoint-parts.tsx";

/** Properties of each button. */
export interface EndpointButtonProps {
  readonly endpoint: Endpoint;
  readonly onDone: () => void;
}

/** Publishes the event webhook.test to the endpoint. */
export function TestEndpoint({ endpoint: { name }, onDone }: EndpointButtonProps): JSX.Element {
  const api = useApi();
  const change = async () => {
    const params = { path: { name } };
    const { published } = await answerOf(api.POST("/webhooks/{name}/test", { params }));
    if (!published) throw new Error("it is disabled, so that nothing is published to it");
    return `${name}: webhook.test is published; its deliveries show the outcome`;
  };
  return (
    <ChangeButton icon="play" label={`Test ${name}`} {...{ change, onDone }}>Test</ChangeButton>
  );
}

/** Enables an endpoint, or disables it after a question: events that wait become dead letters. */
export function EnableEndpoint({ endpoint, onDone }: EndpointButtonProps): JSX.Element {
  const api = useApi();
  const { name, disabledBy } = endpoint;
  const params = { path: { name } };
  const [isAsking, setIsAsking] = useState(false);
  const enable = async () => {
    await answerOf(api.POST("/webhooks/{name}/enable", { params }));
    return `${name} is enabled; what it missed can be sent again`;
  };
  if (disabledBy !== null) {
    return (
      <ChangeButton icon="play" label={`Enable ${name}`} change={enable} onDone={onDone}>
        Enable
      </ChangeButton>
    );
  }
  return (
    <>
      <Button icon="pause" label={`Disable ${name}`} onClick={() => setIsAsking(true)}>
        Disable
      </Button>
      {isAsking && (
        <Confirm
          title={`Disable ${name}`}
          verb="Disable"
          onClose={() => setIsAsking(false)}
          onConfirm={async () => {
            await answerOf(api.POST("/webhooks/{name}/disable", { params }));
            toast(`${name} is disabled`);
            onDone();
          }}
        >
          Nothing is published to it until it is enabled. Events that wait for it become dead
          letters, and can be sent again then.
        </Confirm>
      )}
    </>
  );
}
